/** A form of one button that leads to where it stands, and nothing else: no script, no style, nothing from elsewhere. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
} as const;

export const askPage = (domain: string): string =>
  page(
    'Unsubscribe',
    `<p>You get no more mail from <strong>${escaped(domain)}</strong> at the address that this link was sent to.</p>
<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>`,
  );

export const donePage = (domain: string): string =>
  page('Unsubscribed', `<p>You get no more mail from <strong>${escaped(domain)}</strong>.</p>`);

export const GONE_PAGE = page(
  'This link leads nowhere',
  '<p>It is incomplete, or what it belonged to is gone: then there is nothing left to unsubscribe from.</p>',
);

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
