export function answersOf(root: string): Map<string, string>;
export function explained(markdown: string): string[];
