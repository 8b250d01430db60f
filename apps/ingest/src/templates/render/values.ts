/** What a template can reach: JSON values alone, own properties alone. */
export type Variables = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 50;

/** `undefined` and `null` lead nowhere and are no error. No prototype is ever looked at. */
export function own(parent: unknown, name: string): unknown {
  if (parent === undefined || parent === null) return parent;
  return Object.hasOwn(Object(parent) as object, name) ? (parent as Record<string, unknown>)[name] : undefined;
}

/** As Handlebars writes a value, without asking its `toString`, which may be the client's. `step` is told of every element. */
export function textOf(value: unknown, step: () => void = () => undefined): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    return value
      .map((one) => {
        step();
        return textOf(one, step);
      })
      .join(',');
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '[object Object]';
}

/** Handlebars' own notion: 0 is not empty. */
export const isEmpty = (value: unknown): boolean => (Array.isArray(value) ? value.length === 0 : !value && value !== 0);

export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth >= MAX_DEPTH || Object.values(value).some((one) => isTooDeep(one, depth + 1));
}
