import { holderConformance } from '@lethe/privacy-holder/conformance';
import { inject } from 'vitest';
import { startEventsWorld } from './support/events-world.ts';

holderConformance('events', () => startEventsWorld(inject('stores')));
