import { StartupError } from '@lethe/service';
import type { Bucket } from './bucket.ts';

/** Outside of what rules are about. */
const KEY = 'lethe-claim';

/**
 * Makes sure that a bucket is this installation's alone: whoever shares it would take the other's bodies for orphans. `claim`: what the
 * installation's database knows of; `fresh` until the bucket was seen to have it.
 */
export async function claimBucket(bucket: Bucket, claim: string, fresh: boolean): Promise<void> {
  const found = (await bucket.get(KEY))?.octets.toString();
  if (found === claim) return;
  if (!fresh) {
    throw new StartupError(
      'The bucket is not the one that messages of this installation were kept in. Correct BODIES_S3_BUCKET and BODIES_S3_ENDPOINT.',
    );
  }
  if (found !== undefined) {
    throw new StartupError(
      'The bucket is used by another installation, or by this one before its database was made anew. Give it a bucket of its own.',
    );
  }
  await bucket.put(KEY, () => Buffer.from(claim));
}
