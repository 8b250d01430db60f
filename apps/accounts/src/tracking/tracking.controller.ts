import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { Caller, Operation } from '@lethe/service';
import type { Answer, Identity } from '@lethe/service';
import { z } from 'zod';
import { knownDomain } from '../domains/domain-name.ts';
import { form, yesNo } from '../domains/form.ts';
import {
  clickChanged,
  clickItem,
  openChanged,
  openItem,
  trackingShape,
  unsubscribeChanged,
  unsubscribeItem,
} from './tracking-view.ts';
import { TrackingService } from './tracking.service.ts';

const UPDATED = 'Domain tracking settings have been updated';
const footer = z.string('must be one text').max(8_192, 'must have at most 8192 characters').optional();

const openChanges = form({ active: yesNo.optional(), place_at_the_top: yesNo.optional() });
const clickChanges = form({
  active: z
    .union([z.literal('htmlonly'), yesNo], 'must be yes, no or htmlonly')
    .transform((active) => (typeof active === 'string' ? active : active ? ('yes' as const) : ('no' as const)))
    .optional(),
});
const unsubscribeChanges = form({ active: yesNo.optional(), html_footer: footer, text_footer: footer });

/** Mailgun's tracking settings (mailgun-api §6): kept and answered. Tracking itself is not there yet, whatever they say. */
@Controller(['v3/domains/:name/tracking', 'v4/domains/:name/tracking'])
export class TrackingController {
  constructor(private readonly tracking: TrackingService) {}

  @Operation('Show tracking settings', { answer: trackingShape })
  @Get()
  async get(@Caller() caller: Identity, @Param('name') name: string): Promise<Answer<typeof trackingShape>> {
    const tracking = await this.tracking.get(caller, knownDomain(name));
    return {
      tracking: {
        open: openItem(tracking),
        click: clickItem(tracking),
        unsubscribe: unsubscribeItem(tracking),
        web_scheme: tracking.domain.webScheme,
      },
    };
  }

  @Operation('Change tracking of opens', { answer: openChanged })
  @Put('open')
  async open(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: openChanges }) { active, place_at_the_top }: z.infer<typeof openChanges>,
  ): Promise<Answer<typeof openChanged>> {
    const tracking = await this.tracking.update(caller, knownDomain(name), {
      ...(active === undefined ? {} : { openTracking: active }),
      ...(place_at_the_top === undefined ? {} : { openTrackingTop: place_at_the_top }),
    });
    return { message: UPDATED, open: openItem(tracking) };
  }

  @Operation('Change tracking of clicks', { answer: clickChanged })
  @Put('click')
  async click(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: clickChanges }) { active }: z.infer<typeof clickChanges>,
  ): Promise<Answer<typeof clickChanged>> {
    const choice = active === undefined ? {} : { clickTracking: active };
    return { message: UPDATED, click: clickItem(await this.tracking.update(caller, knownDomain(name), choice)) };
  }

  @Operation('Change unsubscribe links', { answer: unsubscribeChanged })
  @Put('unsubscribe')
  async unsubscribe(
    @Caller() caller: Identity,
    @Param('name') name: string,
    @Body({ schema: unsubscribeChanges }) body: z.infer<typeof unsubscribeChanges>,
  ): Promise<Answer<typeof unsubscribeChanged>> {
    const tracking = await this.tracking.update(
      caller,
      knownDomain(name),
      body.active === undefined ? {} : { unsubscribeTracking: body.active },
      {
        ...(body.html_footer === undefined ? {} : { html: body.html_footer }),
        ...(body.text_footer === undefined ? {} : { text: body.text_footer }),
      },
    );
    return { message: UPDATED, unsubscribe: unsubscribeItem(tracking) };
  }
}
