export const root: string;
export function dataFolder(): string;
export function node(): string;
