/**
 * Everything about mail that needs no I/O. A message's way through it: its addresses are read (`address`), its form is
 * composed (`compose`) or its raw bytes are brought to one form (`message`), it is scanned (`mime`), written for each recipient where each gets their own (`merge`) and without octets that a server does not take
 * (`downgrade`), signed (`dkim`) and given an address to come back to (`return-path`); what the other side answers is read and stripped of
 * addresses (`reply`); why it did not arrive is found by one set of rules
 * for live replies and for bounces (`bounce`). Kept, it can be shown again (`view`).
 */
export { type Refusal, type RefusalReason, type Result } from './refusal.ts';
export { canonicalDomain, normalForm, parseAddress, type Mailbox } from './address/address.ts';
export { parseAddressList, readHeaderAddresses, type AddressListOptions } from './address/address-list.ts';
export { normaliseMessage } from './message/normalise.ts';
export { headerFields, rawValue, splitMessage, type HeaderField, type SplitMessage } from './message/header.ts';
export { parseInstant } from './message/date.ts';
export { headerLine, mailDate, missingHeaders, prependHeaders, removeHeaders } from './message/edit.ts';
export { decodeText } from './mime/text.ts';
export { DEFAULT_SCAN_LIMITS, scanMime, type MessageScan } from './mime/scan.ts';
export { type Attachment, type ScanLimits } from './mime/parts.ts';
export { viewMail, type MailView, type ViewedAttachment } from './view/view.ts';
export { stripText, type StrippedText } from './view/strip.ts';
export { composeMessage, type ComposedMessage } from './compose/compose.ts';
export { replaceTexts } from './compose/replace.ts';
export { type FormFile, type MessageForm } from './compose/form.ts';
export { asksToUnsubscribe, unsubscribeLines } from './message/unsubscribe.ts';
export { sevenBit } from './downgrade/seven-bit.ts';
export { EACH_RECIPIENT, MailMerge } from './merge/merge.ts';
export { fillIn, fillInJson, PlaceholderCount, type MergeRecipient } from './merge/placeholders.ts';
export { dkimBodyHash } from './dkim/canonical.ts';
export { dkimSign, type DkimSignInput } from './dkim/sign.ts';
export { makeReturnPath, readReturnPath, type ReturnPath } from './return-path/return-path.ts';
export { classifyReply, enhancedCode, type FailureReason, type ReplyClass } from './reply/classify.ts';
export { maskAddresses } from './reply/mask.ts';
export { explainBounce, type ExplainedBounce } from './bounce/explain.ts';
export { MAX_MESSAGE as MAX_BOUNCE } from './bounce/reading/readable.ts';
export { REASONS, type BounceReason, type ReasonMeaning } from './bounce/reasons.ts';
