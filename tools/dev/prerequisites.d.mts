export interface Machine {
  env: Record<string, string | undefined>;
  nodeVersion: string;
  freeBytes: number;
  /** Folders that JDKs are installed in. */
  jvmFolders: string[];
  /** Whether Kafka and Elasticsearch are in the cache. */
  stored: boolean;
}
export function prerequisites(machine?: Machine): 'docker' | 'native';
export function thisMachine(env?: Record<string, string | undefined>): Machine;
