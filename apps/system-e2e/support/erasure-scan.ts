import { dirname } from 'node:path';
import { scanFolders, scanRows, type Finding, type Needle } from '@lethe/testing';
import type { OwnPlatform } from './own-platform.ts';

/** Every file of every store and every log, and every row: nothing is left out. */
export async function everywhere(own: OwnPlatform, needles: readonly Needle[]): Promise<Finding[]> {
  const { postgres, vault } = own.stores;
  const folders = [own.stores.dir, dirname(own.platform.logDir)];
  const files = await scanFolders({ folders, needles });
  const rows = await scanRows({ adminUrls: [postgres.adminUrl, vault.adminUrl], needles });
  const unopened = [...files.unopened, ...rows.unopened];
  if (unopened.length > 0) throw new Error(`not everything could be looked into: ${JSON.stringify(unopened)}`);
  const octets = (files.octets / 2 ** 20).toFixed(0);
  console.log(`looked for ${needles.length} marks in ${files.files} files (${octets} MiB) and ${rows.files} tables`);
  return [...files.findings, ...rows.findings];
}

interface Segments {
  indices: Record<
    string,
    { shards: Record<string, { segments: Record<string, { deleted_docs: number; num_docs: number }> }[]> }
  >;
}

/** Documents that are deleted and not yet off the files, by segment; only those that have any. */
export async function deletedDocuments(own: OwnPlatform): Promise<Record<string, number>> {
  const response = await fetch(`${own.stores.elasticsearch}/lethe-events-*/_segments`);
  const { indices } = (await response.json()) as Segments;
  return Object.fromEntries(
    Object.entries(indices).flatMap(([index, { shards }]) =>
      Object.values(shards)
        .flat()
        .flatMap(({ segments }) => Object.entries(segments))
        .filter(([, { deleted_docs: deleted }]) => deleted > 0)
        .map(([segment, { deleted_docs: deleted }]) => [`${index}/${segment}`, deleted]),
    ),
  );
}
