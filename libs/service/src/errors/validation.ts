import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ApiError } from './api-error.ts';

interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

/** The 400 for input that does not fit its schema. Names the first wrong field, never its value. */
export function validationError(issues: readonly Issue[]): ApiError {
  const issue = issues[0];
  const field = issue?.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  const message = issue?.message ?? 'Invalid input';
  return new ApiError(400, field ? `${field}: ${message}` : message, field ? { field } : {});
}

/** Validates `@Body({schema})`, `@Param(name, {schema})`, `@Query({schema})` and answers 400. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: (issues) => validationError(issues) });
}
