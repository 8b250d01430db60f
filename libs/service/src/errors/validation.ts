import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ApiError } from './api-error.ts';

interface Issue {
  message: string;
  code?: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

/** A field as schemas name them; a key the client made up is usually not like that. */
const FIELD = /^[A-Za-z0-9_.:[\]-]{1,80}$/;

/** The 400 for input that does not fit its schema. Names the first wrong field, never its value. */
export function validationError(issues: readonly Issue[]): ApiError {
  const issue = issues[0];
  if (!issue) return new ApiError(400, 'Invalid input');
  // Zod's own text lists the unknown names.
  if (issue.code === 'unrecognized_keys') return new ApiError(400, 'Unknown field');
  const field = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  if (!FIELD.test(field)) return new ApiError(400, issue.message);
  return new ApiError(400, `${field}: ${issue.message}`, { field });
}

/** Validates `@Body({schema})`, `@Param(name, {schema})`, `@Query({schema})` and answers 400. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => validationError(issues) });
}
