import { holderConformance } from '@lethe/privacy-holder/conformance';
import { startWorld } from './support/holder.world.ts';

holderConformance('ingest', () => startWorld());
