/** The tags of a DKIM or DMARC record by name (RFC 6376 §3.2, RFC 7489 §6.4); white space around names and values is none of theirs. */
export function tagList(record: string): Map<string, string> {
  return new Map(
    record.split(';').map((tag) => {
      const [name = '', ...value] = tag.split('=');
      return [name.trim(), value.join('=').trim()];
    }),
  );
}
