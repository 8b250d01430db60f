export interface Failure {
  name: string;
  error: string[];
}
export function failureLines(failures: readonly Failure[]): string[];
