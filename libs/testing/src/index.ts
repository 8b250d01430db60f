export { startWorld, type World, type WorldOptions } from './world/world.ts';
