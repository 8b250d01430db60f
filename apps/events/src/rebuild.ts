import { KafkaClient, kafkaConfig } from '@lethe/kafka';
import { createClient, Search, searchConfig } from '@lethe/search';
import { createLog, loadConfig } from '@lethe/service';
import { z } from 'zod';
import { rebuild } from './rebuild/rebuild.ts';

/** `node dist/rebuild.js`, while no instance of the service runs: see README. */
const config = loadConfig(z.object({ ...kafkaConfig, ...searchConfig }));
const kafka = new KafkaClient('events', config, createLog({ service: 'events', level: 'warn' }));
const client = createClient(config);
try {
  const { indices, records } = await rebuild(kafka, new Search(client), config.INDEX_PREFIX);
  process.stdout.write(
    `${indices} event indices are deleted. Start the service: it indexes the ${records} records of mail-events again.\n`,
  );
} catch (error) {
  process.stderr.write(`The event indices were not rebuilt. ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all([kafka.close(), client.close()]);
}
