import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A log file of bounded size: at `maxBytes` it becomes `<file>.1`, replacing the one before. */
export class RotatingLog {
  private size: number;
  readonly file: string;
  private readonly maxBytes: number;

  constructor(file: string, maxBytes = 16 * 1024 * 1024) {
    this.file = file;
    this.maxBytes = maxBytes;
    mkdirSync(dirname(file), { recursive: true });
    this.size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(chunk: Buffer): void {
    try {
      if (this.size + chunk.length > this.maxBytes) {
        renameSync(this.file, `${this.file}.1`);
        this.size = 0;
      }
      appendFileSync(this.file, chunk, { mode: 0o600 });
      this.size += chunk.length;
    } catch {
      // A full disk must not end what is being logged.
    }
  }
}
