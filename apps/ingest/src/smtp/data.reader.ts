import type { SMTPServerDataStream } from 'smtp-server';
import { COPIES } from '../form/memory.budget.ts';
import { tooLarge } from '../messages/intake.service.ts';
import { refuse } from './smtp.reply.ts';

/** Room for a message whose size nobody said: most fit, and what does not asks for more. */
export const FIRST_OCTETS = 64 * 1024;

/**
 * A message as it arrives, whole in memory. `room` octets are reserved for it already, what is beyond is asked of `more`, twice
 * as much each time; it is kept in one piece, so that single octets take no more room than others. What is refused is read to
 * its end: few clients look for a reply before their final dot.
 * @throws ApiError 413 over `maxBytes`, or what `more` throws; SmtpRefusal if the client leaves before the end.
 */
export async function readData(
  stream: SMTPServerDataStream,
  { room, maxBytes }: { room: number; maxBytes: number },
  more: (octets: number) => void,
): Promise<Buffer> {
  let kept = Buffer.allocUnsafe(room);
  let length = 0;
  let refusal: { error: unknown } | undefined;
  const keep = (chunk: Buffer): void => {
    if (length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    while (length + chunk.length > kept.length) {
      more(COPIES * kept.length);
      kept = Buffer.concat([kept.subarray(0, length)], 2 * kept.length);
    }
    length += chunk.copy(kept, length);
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (refusal !== undefined) continue;
      try {
        keep(chunk);
      } catch (error) {
        refusal = { error };
        kept = Buffer.alloc(0);
      }
    }
  } catch {
    // Nobody is there to read it; it only says that this is no fault of ours.
    throw refuse(451, '4.4.2 the connection ended before the message did');
  }
  if (refusal !== undefined) throw refusal.error;
  return kept.subarray(0, length);
}
