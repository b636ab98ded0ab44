import { createHash } from 'node:crypto';
import { markup } from './page/markup.ts';
import { script } from './page/script.ts';
import { style } from './page/style.ts';

/** As a policy names an inline part: whatever else might get into the page is not run. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** The whole page; there is nothing else to load. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Gateway status</title>
<link rel="icon" id="icon" href="data:,">
<style>${style}</style>
</head>
<body>${markup}<script type="module">${script}</script>
</body>
</html>
`;

/** Its content security policy. Trusted types forbid the script itself to make markup of text. */
export const pagePolicy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  // For the icon in the tab.
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
