// Opens a page in Chromium and prints what it saw as JSON: node browser.mjs PLAYWRIGHT CHROMIUM URL PROFILE
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [playwright, executablePath, url, profile] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(join(playwright, 'index.mjs')));
const quiet = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: quiet });
const page = await context.newPage();
const seen = { requests: [], errors: [], console: false, text: '' };
page.on('request', (request) => seen.requests.push(request.url()));
page.on('pageerror', (error) => seen.errors.push(String(error)));
page.on('console', (message) => message.type() === 'error' && seen.errors.push(message.text()));
await page.goto(url, { waitUntil: 'load' });
await page.waitForSelector('#root > *', { state: 'attached' });
await page.waitForSelector('#eruda', { state: 'attached', timeout: 4000 }).catch(() => {});
seen.console = (await page.$('#eruda')) !== null;
seen.text = await page.innerText('body');
await context.close();
console.log(JSON.stringify(seen));
