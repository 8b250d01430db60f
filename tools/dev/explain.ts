import { PortsTakenError } from './ports.ts';

const FULL = /ENOSPC|No space left on device|not enough (free )?space/i;

/** Plain words for what people can put right themselves; never a stack. */
export function explain(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return new PortsTakenError([String(port)]).message;
  if (code === 'ENOSPC' || FULL.test(message)) {
    return `The disk is full: free some space (\`npm run reset\` removes local data) and start again.\n(${message})`;
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `Not allowed: ${message}\nThe data folder has to belong to you; LETHE_DATA=<folder> npm start uses another one.`;
  }
  return message;
}
