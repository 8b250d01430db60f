// A consumer that is killed by its test. Runs what was built, because Node strips types but not decorators.
// Says `start <n> <maybeDuplicate>` before and `done <n>` after a record; records listed in HANG never finish.
import { z } from 'zod';
import { bind, DeadLetters, done, GroupConsumer, kafkaConfig, KafkaClient, Publisher } from '../../dist/index.js';
import { createLog } from '@lethe/service';

const { TOPIC, HANG, CONCURRENCY } = process.env;
const hang = new Set(JSON.parse(HANG));
// Rebuilt here, because a schema does not travel through the environment.
const topic = { ...JSON.parse(TOPIC), value: z.object({ n: z.int() }) };
const log = createLog({ service: 'child', level: 'warn' });
const client = new KafkaClient('delivery', z.object(kafkaConfig).parse(process.env), log);
const handle = async ({ value: { n }, maybeDuplicate }) => {
  console.log(`start ${n} ${maybeDuplicate}`);
  if (hang.has(n) || hang.has('all')) await new Promise(() => {});
  console.log(`done ${n}`);
  return done();
};
const options = { claims: true, concurrency: Number(CONCURRENCY) };
const letters = new DeadLetters(new Publisher(client, []), log);
new GroupConsumer(client, bind({ topic, name: 'child', options, handle }), letters).start();
