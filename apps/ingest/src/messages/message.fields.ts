import { z } from 'zod';

/**
 * The fields of the forms as clients see them in OpenAPI. They are read from a stream (`../form`), so no schema takes them in; what
 * begins with `o:`, `h:`, `v:` and `t:` is open-ended.
 */
const text = z.string();
const addresses = z.array(text).meta({ description: 'Repeated, or separated by commas' });
const file = z.array(z.string().meta({ format: 'binary' }));
const yesNo = z.enum(['yes', 'no']);

const options = {
  'o:tag': z.array(text).optional(),
  'o:deliverytime': text.optional(),
  'o:testmode': yesNo.optional(),
  'o:dkim': yesNo.optional(),
  'o:require-tls': yesNo.optional(),
  'o:skip-verification': yesNo.optional(),
};

export const messageFields = z
  .looseObject({
    from: text,
    to: addresses,
    cc: addresses.optional(),
    bcc: addresses.optional(),
    subject: text.optional(),
    text: text.optional(),
    html: text.optional(),
    template: text.optional(),
    't:version': text.optional(),
    't:text': yesNo.optional(),
    't:variables': text.meta({ description: 'JSON object' }).optional(),
    attachment: file.optional(),
    inline: file.optional(),
    ...options,
  })
  .meta({ description: 'Besides: h:<name> for a header, v:<name> for a variable' });

export const mimeFields = z
  .looseObject({ to: addresses, message: text.meta({ description: 'A field or a file' }), ...options })
  .meta({ description: 'Besides: v:<name> for a variable' });

export const resendFields = z.looseObject({ to: addresses });

export const FORMS = ['multipart/form-data', 'application/x-www-form-urlencoded'];
