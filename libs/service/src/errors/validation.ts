import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ApiError } from './api-error.ts';

interface Issue {
  message: string;
  code?: string;
  /** Of an object with fields that its schema does not know: their names. */
  keys?: readonly string[];
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

/** A field as schemas name them; a key the client made up is usually not like that. */
const FIELD = /^[A-Za-z0-9_.:[\]-]{1,80}$/;

/** A name that can be shown although the client made it up: too plain to say anything about anyone. */
const PLAIN = /^[a-z_]{1,40}$/;

/** The 400 for input that does not fit its schema. Names the first wrong field, never its value. */
export function validationError(issues: readonly Issue[]): ApiError {
  const issue = issues[0];
  if (!issue) return new ApiError(400, 'Invalid input');
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  if (issue.code === 'unrecognized_keys') return unknownField(path, issue.keys?.[0] ?? '');
  const field = path.join('.');
  if (!FIELD.test(field)) return new ApiError(400, issue.message);
  return new ApiError(400, `${field}: ${issue.message}`, { field });
}

/** Zod's own text lists the unknown names, whatever they are. */
function unknownField(path: readonly string[], name: string): ApiError {
  const field = [...path, name].join('.');
  if (!PLAIN.test(name) || !FIELD.test(field)) return new ApiError(400, 'Unknown field');
  return new ApiError(400, `${field}: is not a known field`, { field });
}

/** Validates `@Body({schema})`, `@Param(name, {schema})`, `@Query({schema})` and answers 400. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => validationError(issues) });
}
