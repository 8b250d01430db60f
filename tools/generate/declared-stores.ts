import { globSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES, type StoreDeclaration } from '@lethe/contracts';

/** Where stores are declared; libs/contracts says what a declaration is, libs/testing starts stores. */
const FILES = '{apps,libs}/*/src/**/stores.ts';
const OTHERS = /^libs\/(contracts|testing)\//;

/** Every store that an app or a library declares in a file named `stores.ts`, by service and name. */
export async function declaredStores(root: string): Promise<StoreDeclaration[]> {
  const files = globSync(FILES, { cwd: root }).filter((file) => !OTHERS.test(file));
  const declared = await Promise.all(files.map((file) => storesOf(join(root, file))));
  // A service may repeat what a library declares of its tables (ingest the bodies).
  const unlike = new Map(declared.flat().map((store) => [JSON.stringify(store), store]));
  return [...unlike.values()].toSorted(
    (a, b) =>
      SERVICES.indexOf(a.owner) - SERVICES.indexOf(b.owner) || a.store.localeCompare(b.store, 'en', { numeric: true }),
  );
}

/** By path and not by name: apps are never imported, and this reads what they say of themselves. */
async function storesOf(file: string): Promise<StoreDeclaration[]> {
  const exported = (await import(/* @vite-ignore */ file)) as Record<string, unknown>;
  const lists = Object.values(exported).filter((value): value is StoreDeclaration[] => Array.isArray(value));
  if (lists.length === 0) throw new Error(`${file} exports no list of StoreDeclaration`);
  return lists.flat();
}
