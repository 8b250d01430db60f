import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDemo } from '@lethe/testing';

/** The one-shot of docker-compose.yml that makes the demo account through the gateway and keeps its keys in demo.json. */
const folder = process.env['LETHE_SECRETS_FOLDER'] ?? '/run/lethe';
const gateway = process.env['GATEWAY'] ?? 'http://gateway:8080';
const file = join(folder, 'demo.json');

try {
  if (!existsSync(file)) {
    const operatorToken = readFileSync(join(folder, 'keys', 'operator-token'), 'utf8').trim();
    const demo = await createDemo(gateway, operatorToken, 'demo.example');
    writeFileSync(file, JSON.stringify({ gateway: process.env['PUBLIC_URL'], ...demo }, null, 2), { mode: 0o600 });
  }
  console.log('the demo account and its domain are ready; its keys are in .lethe/compose/demo.json');
} catch (error) {
  console.error(`The demo account could not be made: ${(error as Error).message}`);
  process.exit(1);
}
