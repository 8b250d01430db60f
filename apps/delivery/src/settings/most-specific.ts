/** What says most about a name in lower case: its own entry, or that of the longest name above it, which begins with a dot. */
export function mostSpecific<T>(entries: ReadonlyMap<string, T>, name: string): T | undefined {
  const own = entries.get(name);
  if (own) return own;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const above = entries.get(name.slice(dot));
    if (above) return above;
  }
  return undefined;
}
