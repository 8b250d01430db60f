export function install(say: (line: string) => void): Promise<void>;
export function isInstalled(folder: string): boolean;
