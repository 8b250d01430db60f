import { count } from './pipeline.ts';
import { MarkedPerson, sendMarked, type Mail, type SentMail } from './erasure-mails.ts';
import { idle } from './pipeline.ts';
import type { OwnPlatform } from './own-platform.ts';

/** Mail to and about somebody who will be erased, and to others, in every way in which it can lie in the stores. */
export interface Scene {
  readonly ana: MarkedPerson;
  /** To her alone: nothing of it may be left. */
  readonly alone: readonly SentMail[];
  /** Names her visibly besides others: its body goes as well, because it names her. */
  readonly naming: readonly SentMail[];
  /** The same, and somebody else still waits for it: its body stays until they have it. */
  readonly kept: readonly SentMail[];
  /** Hers as a blind recipient: nothing in it tells of her. */
  readonly blind: readonly SentMail[];
  /** To others. */
  readonly others: readonly SentMail[];
  /** Recipients who wait for a later attempt. */
  readonly waiting: number;
}

/** Settings under which `temperror` and `greylist` wait for as long as a test takes. */
export const WAITING_SETTINGS = { RETRY_DELAYS: '300ms,1h', RETRY_POLL_MS: '100', LOG_LEVEL: 'debug' };

export async function sendScene(own: OwnPlatform): Promise<Scene> {
  const [ana, bob, cleo] = ['Ana', 'Bob', 'Cleo'].map((name) => new MarkedPerson(name)) as [
    MarkedPerson,
    MarkedPerson,
    MarkedPerson,
  ];
  const send = async (mails: readonly Mail[]): Promise<SentMail[]> => {
    const sent: SentMail[] = [];
    for (const mail of mails) sent.push(await sendMarked(own, mail));
    return sent;
  };
  const scene = {
    ana,
    alone: await send([
      { title: 'delivered', to: [ana.mailbox('ok')] },
      { title: 'delivered as MIME', to: [ana.mailbox('ok')], mime: true },
      { title: 'deferred', to: [ana.mailbox('temperror')] },
      { title: 'greylisted, as MIME', to: [ana.mailbox('greylist')], mime: true },
      { title: 'refused for its full mailbox', to: [ana.mailbox('full')] },
      // Last: it makes a suppression.
      { title: 'bounced', to: [ana.mailbox('550')] },
    ]),
    naming: await send([
      { title: 'with others', to: [ana.mailbox('ok'), bob.mailbox('ok')], cc: [cleo.mailbox('ok')] },
      { title: 'as Cc, deferred for her', to: [bob.mailbox('ok')], cc: [ana.mailbox('temperror')] },
      { title: 'as Cc of a raw message', to: [bob.mailbox('ok')], cc: [ana.mailbox('ok')], mime: true },
      { title: 'as Reply-To', to: [bob.mailbox('ok')], replyTo: ana.mailbox('ok') },
      { title: 'as Reply-To of a raw message', to: [cleo.mailbox('ok')], replyTo: ana.mailbox('ok'), mime: true },
    ]),
    kept: await send([{ title: 'deferred for another', to: [ana.mailbox('ok')], cc: [bob.mailbox('temperror')] }]),
    blind: await send([{ title: 'as Bcc', to: [bob.mailbox('ok')], bcc: [ana.mailbox('ok')] }]),
    others: await send([
      { title: 'to another', to: [bob.mailbox('ok')], cc: [cleo.mailbox('ok')] },
      { title: 'to another, as MIME', to: [cleo.mailbox('ok')], mime: true },
      { title: 'deferred, to another', to: [bob.mailbox('greylist')] },
      { title: 'bounced, to another', to: [bob.mailbox('550')] },
    ]),
    waiting: 5,
  };
  await idle(own, 120_000, scene.waiting);
  const settled = await count(own, 'delivery', 'deferred WHERE attempt = 3 AND NOT started');
  if (settled !== scene.waiting) throw new Error(`${settled} instead of ${scene.waiting} wait for their third attempt`);
  return scene;
}
