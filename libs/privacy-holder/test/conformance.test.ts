import { inject } from 'vitest';
import { holderConformance } from '../src/conformance/conformance.ts';
import { notesWorld } from './support/notes.ts';

/** The suite itself, on the smallest honest holder. */
holderConformance('a table of notes', () => notesWorld(inject('stores')));
