import { readFileSync } from 'node:fs';
import { StartupError } from '@lethe/service';
import type { z } from 'zod';

/** One entry of an operator's file, and where it stands there: for what is wrong with it beside others. */
export interface FileEntry<T> {
  readonly data: T;
  readonly at: string;
}

/**
 * A file that a variable names, read at start: a JSON list of at most `most` entries of one form. Its errors begin with the variable and name
 * entry and field.
 */
export class EntriesFile<S extends z.ZodType> {
  constructor(
    private readonly variable: string,
    private readonly form: S,
    private readonly entry: string,
    private readonly entries: string,
    private readonly most: number,
  ) {}

  /** Throws StartupError. Without a file there are none. */
  read(file: string | undefined): FileEntry<z.output<S>>[] {
    if (file === undefined) return [];
    return this.list(file).map((found, index) => {
      const { data, error } = this.form.safeParse(found);
      const at = `${this.entry} ${index + 1}`;
      if (!error) return { data, at };
      const wrong = error.issues[0];
      throw this.wrong(`${at}: ${wrong?.path.join('.') || `the ${this.entry}`}: ${wrong?.message}`);
    });
  }

  wrong(what: string): StartupError {
    return new StartupError(`${this.variable}: ${what}`);
  }

  private list(file: string): unknown[] {
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      throw this.wrong('the file cannot be read as JSON');
    }
    if (!Array.isArray(content) || content.length > this.most) {
      throw this.wrong(`the file must hold a list of at most ${this.most} ${this.entries}`);
    }
    return content;
  }
}
