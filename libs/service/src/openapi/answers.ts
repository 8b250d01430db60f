import { z } from 'zod';

/** What a success answer says when there is no more to it, and beside what there is. */
export const said = z.object({ message: z.string() });

/** The four links of a page, absolute and always there. */
export const paging = z.object({ first: z.string(), next: z.string(), previous: z.string(), last: z.string() });

export const listOf = <S extends z.ZodType>(item: S) => z.object({ total_count: z.int().min(0), items: z.array(item) });

export const paged = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), paging });

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** What a handler answers whose schema this is; it may hold parts that nobody is to change. */
export type Answer<S extends z.ZodType> = Frozen<z.infer<S>>;
