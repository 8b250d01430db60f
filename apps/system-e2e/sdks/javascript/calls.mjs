/**
 * Mailgun's client for JavaScript, unmodified, against Lethe: what `story.test.ts` has not told. One line a call in the form of
 * the Test Anything Protocol.
 *
 * MG_URL, MG_API_KEY: the gateway and the account's key; MG_DOMAIN: a domain that sends.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import Mailgun from 'mailgun.js';
import { Enums } from 'mailgun.js/definitions';

const { MG_URL: url, MG_API_KEY: key, MG_DOMAIN: domain } = process.env;
const mg = new Mailgun(FormData).client({ username: 'api', key, url });
const OTHER = 'javascript.example.com';
const FROM = `Ann <ann@${domain}>`;

async function step(name, call) {
  try {
    await call();
    console.log(`ok - ${name}`);
  } catch (error) {
    process.exitCode = 1;
    const why = `${error.message} ${error.details ?? ''}`.replaceAll(/\s+/g, ' ');
    console.log(`not ok - ${name} # ${why}`);
  }
}

const statusOf = (call) =>
  call.then(
    ({ status }) => status,
    ({ status }) => status,
  );

await step('a domain is created, changed, found', async () => {
  equal((await mg.domains.create({ name: OTHER, web_scheme: 'https' })).name, OTHER);
  equal((await mg.domains.update(OTHER, { spam_action: 'disabled' })).name, OTHER);
  deepEqual(
    (await mg.domains.list({ search: 'javascript' })).map(({ name }) => name),
    [OTHER],
  );
  equal((await mg.domains.get(OTHER, { extended: true, with_dns: true })).name, OTHER);
});

await step('connection and tracking', async () => {
  equal((await mg.domains.updateConnection(OTHER, { require_tls: true, skip_verification: false })).require_tls, true);
  equal((await mg.domains.getConnection(OTHER)).connection.require_tls, true);
  const { domainTracking } = mg.domains;
  await domainTracking.updateTracking(OTHER, 'open', { active: true });
  await domainTracking.updateTracking(OTHER, 'click', { active: 'htmlonly' });
  await domainTracking.updateTracking(OTHER, 'unsubscribe', {
    active: true,
    html_footer: '<p>bye</p>',
    text_footer: 'bye',
  });
  const { open, click, unsubscribe } = await domainTracking.getTracking(OTHER);
  deepEqual([open.active, click.active, unsubscribe.active, unsubscribe.text_footer], [true, true, true, 'bye']);
});

await step('credentials', async () => {
  const { domainCredentials } = mg.domains;
  await domainCredentials.create(OTHER, { login: 'shop', password: 'a-long-password' });
  const { items, totalCount } = await domainCredentials.list(OTHER);
  deepEqual([items.map(({ login }) => login), totalCount], [[`shop@${OTHER}`], 1]);
  await domainCredentials.update(OTHER, 'shop', { password: 'another-password' });
  await domainCredentials.destroy(OTHER, 'shop');
});

await step('DKIM keys', async () => {
  const { domainKeys } = mg.domains;
  equal((await domainKeys.create({ signingDomain: OTHER, selector: 'second', bits: '2048' })).selector, 'second');
  ok((await domainKeys.list(OTHER)).items.some(({ selector }) => selector === 'second'));
  ok((await domainKeys.listAll({ signing_domain: OTHER })).items.length >= 2);
  await domainKeys.destroy(OTHER, 'second');
});

await step('a domain is deleted', async () => {
  await mg.domains.destroy(OTHER);
  equal(await statusOf(mg.domains.get(OTHER)), 404);
});

await step('messages with everything', async () => {
  const sent = await mg.messages.create(domain, {
    from: FROM,
    to: ['ok+js-bob@world.example', 'ok+js-carol@world.example'],
    subject: 'Hello %recipient.name%',
    text: 'Dear %recipient.name%',
    html: '<p>Dear %recipient.name%<img src="cid:dot.png"></p>',
    'amp-html': '<html amp4email></html>',
    'o:tag': ['js', 'sdk'],
    'o:tracking': false,
    'h:X-Js': 'yes',
    'h:Reply-To': `answers@${domain}`,
    'v:order': '{"number":7}',
    attachment: [{ data: Buffer.from('attached'), filename: 'a.txt' }],
    inline: { data: Buffer.from('not a picture'), filename: 'dot.png' },
    'recipient-variables': JSON.stringify({
      'ok+js-bob@world.example': { name: 'Bob' },
      'ok+js-carol@world.example': { name: 'Carol' },
    }),
  });
  deepEqual([sent.status, sent.message], [200, 'Queued. Thank you.']);
});

await step('MIME as a string and as octets', async () => {
  const mime = `From: ann@${domain}\r\nTo: ok+js-mime@world.example\r\nSubject: MIME\r\n\r\nAs it is.\r\n`;
  for (const message of [mime, Buffer.from(mime)]) {
    equal(
      (await mg.messages.create(domain, { to: 'ok+js-mime@world.example', message })).message,
      'Queued. Thank you.',
    );
  }
});

await step('a message for later, and the queues', async () => {
  const later = new Date(Date.now() + 3_600_000).toUTCString();
  await mg.messages.create(domain, {
    from: FROM,
    to: 'ok+js-later@world.example',
    subject: 'x',
    text: 'x',
    'o:deliverytime': later,
  });
  const queues = await mg.messages.getMessagesQueueStatus(domain);
  deepEqual([queues.regular.is_disabled, queues.scheduled.is_disabled], [false, false]);
});

await step('what is wrong is 400 and says so', async () => {
  const wrong = mg.messages.create(domain, { from: FROM, to: 'nobody', subject: 'x', text: 'x' });
  const error = await wrong.catch((thrown) => thrown);
  deepEqual([error.status, error.details.includes("'to'")], [400, true]);
});

await step('bounces', async () => {
  await mg.suppressions.create(domain, 'bounces', { address: 'js+b@world.example', code: 550, error: 'gone' });
  equal((await mg.suppressions.get(domain, 'bounces', 'js+b@world.example')).address, 'js+b@world.example');
  equal((await mg.suppressions.list(domain, 'bounces', { limit: 1 })).items.length, 1);
  await mg.suppressions.destroy(domain, 'bounces', 'js+b@world.example');
});

await step('templates', async () => {
  const { domainTemplates: templates } = mg.domains;
  const made = await templates.create(domain, {
    name: 'js-welcome',
    description: 'js',
    template: 'Hello {{name}}',
    tag: 'one',
    comment: 'first',
  });
  deepEqual([made.name, made.version.tag], ['js-welcome', 'one']);
  await templates.createVersion(domain, 'js-welcome', {
    template: 'Bye {{name}}',
    tag: 'two',
    active: Enums.YesNo.YES,
  });
  const { template } = await templates.listVersions(domain, 'js-welcome', { limit: 10 });
  deepEqual(Object.fromEntries(template.versions.map(({ tag, active }) => [tag, active])), { one: false, two: true });
  equal((await templates.getVersion(domain, 'js-welcome', 'two')).version.template, 'Bye {{name}}');
  const message = {
    from: FROM,
    to: 'ok+js-template@world.example',
    subject: 'x',
    template: 'js-welcome',
    't:variables': '{"name":"Bob"}',
  };
  equal((await mg.messages.create(domain, message)).message, 'Queued. Thank you.');
  const page = await templates.list(domain, { limit: 1 });
  deepEqual(
    page.items.map(({ name }) => name),
    ['js-welcome'],
  );
  deepEqual((await templates.list(domain, { page: page.pages.next.page })).items, []);
  await templates.update(domain, 'js-welcome', { description: 'changed' });
  await templates.updateVersion(domain, 'js-welcome', 'one', { active: Enums.YesNo.YES });
  await templates.destroyVersion(domain, 'js-welcome', 'two');
  await templates.destroyAll(domain);
  equal(await statusOf(templates.get(domain, 'js-welcome')), 404);
});

await step('mailing lists', async () => {
  const address = `js@${domain}`;
  const bob = 'ok+jslist@world.example';
  equal((await mg.lists.create({ address, name: 'JS', access_level: 'readonly' })).address, address);
  const { members } = mg.lists;
  const member = await members.createMember(address, {
    address: bob,
    name: 'Bob',
    vars: '{"city":"Bern"}',
    subscribed: 'yes',
    upsert: 'yes',
  });
  equal(member.address, bob);
  const many = await members.createMembers(address, {
    members: [{ address: 'ok+jslist2@world.example' }],
    upsert: 'yes',
  });
  equal(many.list.members_count, 2);
  deepEqual((await members.getMember(address, bob)).vars, { city: 'Bern' });
  equal((await members.updateMember(address, bob, { name: 'Robert', subscribed: 'no' })).subscribed, false);
  const page = await members.listMembers(address, { limit: 1 });
  equal((await members.listMembers(address, { page: page.pages.next.page })).items.length, 1);
  equal(
    (await mg.messages.create(domain, { from: FROM, to: address, subject: 'To all', text: 'Hello %recipient_name%' }))
      .status,
    200,
  );
  ok((await mg.lists.list({ limit: 10 })).items.some((list) => list.address === address));
  equal((await mg.lists.update(address, { description: 'changed' })).description, 'changed');
  await members.destroyMember(address, bob);
  await mg.lists.destroy(address);
  equal(await statusOf(mg.lists.get(address)), 404);
});

await step('subaccounts and limits', async () => {
  const { subaccount } = await mg.subaccounts.create('js');
  equal((await mg.subaccounts.get(subaccount.id)).subaccount.status, 'open');
  ok((await mg.subaccounts.list()).total >= 1);
  equal((await mg.subaccounts.disable(subaccount.id)).subaccount.status, 'disabled');
  equal((await mg.subaccounts.enable(subaccount.id)).subaccount.status, 'open');
});

await step('the sending addresses', async () => {
  ok(Array.isArray((await mg.ips.list()).items));
});
