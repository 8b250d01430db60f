import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { DomainSettings } from '@lethe/contracts';
import { canonicalDomain, normaliseMessage, parseAddress } from '@lethe/mail';
import { ApiError, CONFIG, Log } from '@lethe/service';
import type { SMTPServerAddress, SMTPServerAuthentication, SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { ComingMessages } from '../accept/coming.messages.ts';
import { type IngestConfig } from '../config.ts';
import { LoginService, type Login } from '../login/login.service.ts';
import { TrustedNetworks, type TrustedClient } from '../login/trusted.networks.ts';
import { IntakeService } from '../messages/intake.service.ts';
import { submissionOfMime } from '../messages/mime.submission.ts';
import { taken } from '../messages/refusals.ts';
import { intoMime } from '../templates/render/into.ts';
import { MessageTemplates } from '../templates/render/message.templates.ts';
import { SendingDomains } from '../settings/sending.domains.ts';
import { FIRST_OCTETS, readData } from './data.reader.ts';
import { inHeaders, optionFields } from './mailgun.headers.ts';
import { checkMailParameters, checkRcptParameters, sizeOf } from './mail.parameters.ts';
import { maySendAs } from './sender.policy.ts';
import { refuse, refusalOf } from './smtp.reply.ts';

const MAX_FAILED_LOGINS = 3;

/** The library keeps what it does not know of its session for as long as the connection lives. */
export interface SubmissionSession extends SMTPServerSession {
  /** Unset for who has not signed in, false once TLS began. */
  user?: Login | TrustedClient | false;
  failedLogins?: number;
  /** Of the message that has begun last. */
  come?: () => void;
}

/** What each command of a session means here (RFC 6409). Every method throws SmtpRefusal. */
@Injectable()
export class SubmissionsService {
  private readonly networks: TrustedNetworks;

  constructor(
    private readonly logins: LoginService,
    private readonly domains: SendingDomains,
    private readonly intake: IntakeService,
    private readonly coming: ComingMessages,
    private readonly templates: MessageTemplates,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: IngestConfig,
  ) {
    this.networks = new TrustedNetworks(config.SMTP_TRUSTED_NETWORKS);
  }

  /** Whom a client at this address is taken for without signing in; undefined: nobody. */
  trustedAt(address: string | undefined): TrustedClient | undefined {
    return this.networks.clientAt(address);
  }

  async signIn(auth: SMTPServerAuthentication, session: SubmissionSession): Promise<Login> {
    const answerAt = performance.now() + this.config.SMTP_FAILED_LOGIN_MS;
    try {
      // To act for somebody else (RFC 4616 §2) is nobody's right here.
      const isForOther = auth.authzid && auth.authcid && auth.authzid !== auth.authcid;
      const { username = '', password } = auth;
      const login = isForOther ? undefined : await this.logins.signIn(username, password ?? '', session.remoteAddress);
      if (login) return login;
    } catch (error) {
      const { responseCode, message } = refusalOf(error, this.log);
      throw refuse(responseCode === 450 || responseCode === 451 ? 454 : responseCode, message);
    }
    session.failedLogins = (session.failedLogins ?? 0) + 1;
    // One time for every cause, so that it does not tell which logins there are.
    await wait(Math.max(0, answerAt - performance.now()));
    if (session.failedLogins >= MAX_FAILED_LOGINS) throw refuse(421, '4.7.0 too many failed logins');
    throw refuse(535, '5.7.8 the login or the password is wrong');
  }

  from(mail: SMTPServerAddress, session: SubmissionSession): void {
    checkMailParameters(mail);
    const { domain } = this.senderOf(session);
    this.intake.assertRoom(sizeOf(mail.args), this.config.MESSAGE_MAX_BYTES);
    // The null reverse-path of notifications (RFC 5321 §4.5.5) names nobody.
    if (mail.address !== '') this.assertSender(mail.address, domain.name, session);
    session.come?.();
    session.come = this.coming.expect();
  }

  private assertSender(address: string, domain: string, session: SubmissionSession): void {
    assertUtf8Announced(address, session);
    const sender = canonicalDomain(address.slice(address.lastIndexOf('@') + 1));
    if (sender === undefined || !maySendAs(domain, sender)) {
      throw refuse(553, '5.7.1 MAIL FROM must be of the domain of the login');
    }
  }

  to(rcpt: SMTPServerAddress, session: SubmissionSession): void {
    checkRcptParameters(rcpt, session);
    const { address } = rcpt;
    assertUtf8Announced(address, session);
    const read = parseAddress(address, 'RCPT TO');
    if (!read.ok) throw refuse(553, `5.1.3 RCPT TO is not valid: ${read.refusal.message}`);
  }

  /** Answers the Message-ID once the message is durable. */
  async take(stream: SMTPServerDataStream, session: SubmissionSession): Promise<string> {
    const { domain, keyId } = this.senderOf(session);
    this.intake.assertRoom(undefined, this.config.MESSAGE_MAX_BYTES);
    const { mailFrom, rcptTo } = session.envelope;
    const declared = mailFrom === false ? undefined : sizeOf(mailFrom.args);
    const room = Math.max(declared ?? 0, FIRST_OCTETS);
    const to = rcptTo.map(({ address }) => `<${address}>`);
    try {
      return await this.intake.take({
        domain,
        by: {
          keyId,
          method: 'smtp',
          originatingIp: session.remoteAddress,
          nullSender: mailFrom !== false && mailFrom.address === '',
        },
        octets: room,
        ...(session.come ? { come: session.come } : {}),
        read: async (more) => {
          const raw = await readData(stream, { room, maxBytes: this.config.MESSAGE_MAX_BYTES }, more);
          const content = taken(normaliseMessage(raw));
          return {
            fields: new Map([...optionFields(content), ['to', to]]),
            files: [{ field: 'message', filename: 'message', contentType: 'message/rfc822', content }],
          };
        },
        toSubmission: async (form, origin, more) =>
          submissionOfMime(await this.templates.applied(form, domain, intoMime, more), origin),
      });
    } catch (error) {
      throw error instanceof ApiError ? new ApiError(error.status, inHeaders(error.message)) : error;
    }
  }

  /** A session outlives what let it in: everything is asked again with each message. */
  private senderOf({ user }: SubmissionSession): { domain: DomainSettings; keyId: string } {
    if (!user) throw refuse(530, '5.7.0 sign in first');
    if (!('credentialId' in user)) {
      const { domainId } = this.domains.named(user.domainName) ?? {};
      const domain = this.domains.of({ account: user.accountId, ...(domainId ? { domain: domainId } : {}) });
      // There is no credential: whoever is in the network is the domain.
      return { domain, keyId: domain.domainId };
    }
    if (!this.logins.stands(user)) {
      throw refuse(530, '5.7.0 the login was revoked or its password changed: sign in again');
    }
    return { domain: this.domains.of({ account: user.accountId, domain: user.domainId }), keyId: user.credentialId };
  }
}

/** RFC 6531 §3.5; octets that are no UTF-8 came out of the decoder as U+FFFD. */
function assertUtf8Announced(address: string, { envelope }: SubmissionSession): void {
  const local = address.slice(0, address.lastIndexOf('@'));
  if (address.includes('\u{fffd}')) throw refuse(553, '5.1.3 an address must be in UTF-8');
  if (/[^\0-\u{7f}]/u.test(local) && !envelope.smtpUtf8) {
    throw refuse(553, '5.6.7 an address that is not ASCII needs the parameter SMTPUTF8');
  }
}
