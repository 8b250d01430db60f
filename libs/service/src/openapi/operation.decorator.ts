import type { z } from 'zod';
import type { Answer } from './answers.ts';

const OPERATIONS = 'lethe.operations';

/** What clients are told of a route beyond what its decorators and schemas say already. */
export interface OperationDetails {
  description?: string;
  /** Of a route that ends in `*`: what stands there, as `{key}/attachments/{index}`. */
  below?: string;
  /** Fields of the query that no schema of `@Query` reads. */
  query?: z.ZodType;
  /** Fields of the body that no schema of `@Body` reads. */
  body?: z.ZodType;
  /** Media types of the body, where they are not those of `acceptForms`. */
  takes?: readonly string[];
  /** Media types of the answer, where it is not JSON alone. */
  answers?: readonly string[];
}

/** The success answer in JSON, which what the handler declares to answer has to fit: else it does not compile. */
export interface Answering<S extends z.ZodType> {
  answer: S;
}

export interface Operation extends OperationDetails {
  summary: string;
  answer?: z.ZodType;
}

/** Text, and what the handler writes itself, is another media type, or JSON in pieces. */
type Answered<A> = A | string | void;
type Handler<A> = (...given: never[]) => Answered<A> | Promise<Answered<A>>;
type HandlerDecorator<A> = <H extends Handler<A>>(
  target: object,
  key: string | symbol,
  handler: TypedPropertyDescriptor<H>,
) => void;

/**
 * Describes a route in OpenAPI. Parameters, fields and status are read from what the handler declares for Nest, so that they are said
 * once. A route that stands for several (`*`) carries one description each, in the order of the page.
 */
export function Operation<S extends z.ZodType>(
  summary: string,
  details: OperationDetails & Answering<S>,
): HandlerDecorator<Answer<S>>;
export function Operation(summary: string, details?: OperationDetails): MethodDecorator;
export function Operation(summary: string, details: Omit<Operation, 'summary'> = {}): MethodDecorator {
  return (_target, _key, descriptor) => {
    const handler = descriptor.value as object;
    // Decorators are applied from the last to the first.
    Reflect.defineMetadata(OPERATIONS, [{ summary, ...details }, ...operationsOf(handler)], handler);
  };
}

export const operationsOf = (handler: object): readonly Operation[] =>
  (Reflect.getMetadata(OPERATIONS, handler) as Operation[] | undefined) ?? [];
