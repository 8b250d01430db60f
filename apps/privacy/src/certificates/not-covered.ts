/** What no erasure of ours reaches (design §8); stands in every certificate as it is. */
export const NOT_COVERED: readonly string[] = [
  'disk blocks that were freed and not yet overwritten',
  'memory of running processes',
  'mail that was already delivered',
  'receivers of webhooks',
  'files that were already exported',
  'what the controller wrote beside the request itself: its reference and its reason',
  'backups of the vault until they are overwritten: one that is restored stays closed until the erasure is done in it too',
  'free text in mail to others that names the person: it is found on request and gone with its body',
];
