import { Module } from '@nestjs/common';
import { SettingsPublisher } from './settings.publisher.ts';

/** The one way to change anything, for whoever changes something. */
@Module({ providers: [SettingsPublisher], exports: [SettingsPublisher] })
export class SettingsModule {}
