import { Module } from '@nestjs/common';
import { PeopleUnderWay } from './people.under-way.ts';

/** For who mails people, and for who has to know that nobody does any more. */
@Module({ providers: [PeopleUnderWay], exports: [PeopleUnderWay] })
export class PeopleModule {}
