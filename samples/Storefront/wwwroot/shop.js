const behaviours = {
  'well': {},
  'slow (1.5 s)': { latencyMs: 1500 },
  'fails at times': { errorRate: 0.5 },
  'always fails': { errorRate: 1 },
  'hangs': { hang: true },
  'resets': { reset: true },
  'handler crashes': { crash: true },
  'breaks halfway': { crashAfterStart: true },
};

const byId = id => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Every answer becomes { ok, data } or { ok: false, why }: this page has to live with a shop that breaks. What a fallback
// answered says so in a header. Browsers send the cookies of one localhost port to all of them, and a request with a cookie is
// given no stale answer, so none is sent.
async function ask(path, options) {
  try {
    const response = await fetch(path, { credentials: 'omit', signal: AbortSignal.timeout(10_000), ...options });
    if (response.ok) {
      const fallback = response.headers.get('resilience-fallback');
      return { ok: true, fallback, age: response.headers.get('age'), data: response.status === 204 ? null : await response.json() };
    }

    const type = response.headers.get('content-type') ?? '';
    const problem = type.includes('json') ? await response.json() : {};
    const retry = response.headers.get('retry-after');
    return { ok: false, status: response.status, why: `${response.status} ${problem.code ?? ''}${retry ? `, again in ${retry} s` : ''}` };
  } catch (error) {
    return { ok: false, why: error.name === 'TimeoutError' ? 'no answer' : 'the connection broke' };
  }
}

// The text, and a mark beside it when it is not the endpoint's own.
function show(place, answer, text) {
  const mark = answer.fallback === 'stale' ? `as it was ${answer.age} s ago` : 'fallback';
  place.replaceChildren(text, ...(answer.fallback ? [' ', element('span', { className: 'fallback', textContent: mark })] : []));
}

const post = (path, body) =>
  ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

function showPrice(place, answer) {
  place.classList.toggle('problem', !answer.ok);
  const amount = answer.data?.amount.toLocaleString('en', { style: 'currency', currency: answer.data.currency });
  show(place, answer, answer.ok ? `${answer.data.isEstimate ? '≈ ' : ''}${amount}` : answer.why);
}

async function buy(product) {
  const answer = await post('checkout', { productId: product.id, quantity: 1 });
  byId('orders').textContent = answer.ok
    ? `Paid: ${product.name}, receipt ${answer.data.reference}.`
    : `${product.name} was not ordered: ${answer.why}.`;
  if (answer.ok) {
    await keep(answer.data);
  }
}

// The receipt is the order's key: asking again until the answer is yes keeps it once.
async function keep({ reference, productId, quantity }) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 10_000)) {
    const answer = await askSignedIn(`orders/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ productId, quantity }),
    });
    if (answer.ok || answer.status === 400) {
      return showHistory();
    }
    await new Promise(resume => setTimeout(resume, wait));
  }
}

async function rush() {
  byId('orders').textContent = 'Forty customers are at the counter …';
  const answer = await post('faults/rush', {});
  byId('orders').textContent = answer.ok
    ? Object.entries(answer.data).map(([kind, count]) => `${count} × ${kind}`).join(' · ')
    : `The rush did not happen: ${answer.why}`;
}

// Each part of the page asks and shows on its own, so that one slow part keeps no other waiting.
async function showProfile() {
  const answer = await ask('profile');
  const { name, excuse } = answer.data ?? {};
  show(byId('greeting'), answer,
    !answer.ok ? `Welcome. (Your profile: ${answer.why})` : excuse ? `Welcome, ${name}: ${excuse}.` : `Welcome back, ${name}.`);
}

async function showBenefits() {
  const answer = await ask('profile/benefits');
  show(byId('benefits'), answer, answer.ok ? answer.data.text : '');
}

const nameOf = id => byId(`product-${id}`)?.querySelector('strong').textContent ?? `No. ${id}`;

async function showRecommendations() {
  const answer = await ask('recommendations');
  show(byId('recommendations'), answer, answer.ok ? answer.data.map(nameOf).join(', ') : `Nothing comes to mind: ${answer.why}`);
}

let token;

async function askSignedIn(path, options = {}) {
  token ??= (await post('sign-in', {})).data?.accessToken;
  const answer = await ask(path, { ...options, headers: { ...options.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) } });
  if (answer.status === 401) {
    token = undefined;
  }
  return answer;
}

async function showHistory() {
  const answer = await askSignedIn('orders');
  const orders = answer.data?.orders.map(order => `${order.quantity} × ${nameOf(order.productId)}`).join(', ');
  show(byId('history'), answer,
    !answer.ok ? `Your orders: ${answer.why}` : answer.data.isComplete ? orders || 'Nothing bought so far.' : `${answer.data.customer}, we cannot show your orders just now.`);
}

function addProduct(product) {
  const button = element('button', { type: 'button', textContent: 'Buy', ariaLabel: `Buy ${product.name}` });
  button.addEventListener('click', () => buy(product));
  const card = element('li', { id: `product-${product.id}` },
    element('strong', { textContent: product.name }),
    element('span', { className: 'quiet' }),
    element('div', { className: 'row' }, element('span', { className: 'price', textContent: '…' }), button));
  byId('products').append(card);
  return card;
}

async function showProducts() {
  const answer = await ask('products');
  const note = byId('catalogue-problem');
  note.hidden = answer.ok && !answer.fallback;
  note.className = answer.ok ? 'quiet' : 'problem';
  show(note, answer,
    !answer.ok ? `The catalogue is not available: ${answer.why}` : answer.fallback === 'stale' ? 'The catalogue' : 'The names from our search index');
  for (const product of answer.data ?? []) {
    const card = byId(`product-${product.id}`) ?? addProduct(product);
    card.querySelector('.quiet').textContent = [product.note, product.sold ? `${product.sold} sold` : null].filter(Boolean).join(' · ');
  }
}

// One after the other: a browser has six connections to a server, and hanging prices must not take them all.
async function showPrices() {
  for (const card of byId('products').children) {
    showPrice(card.querySelector('.price'), await ask(`prices/${card.id.slice('product-'.length)}`));
  }
}

function describe(fault) {
  const set = Object.entries(fault).filter(([, value]) => value);
  const found = Object.entries(behaviours).find(([, settings]) =>
    set.length === Object.keys(settings).length && set.every(([name, value]) => settings[name] === value));
  return found?.[0] ?? 'otherwise';
}

function addSwitch(service) {
  const select = element('select', { ariaLabel: `How ${service.name} behaves` });
  select.append(...Object.keys(behaviours).map(name => element('option', { value: name, textContent: name })));
  select.addEventListener('change', () => post(`faults/${service.name}`, behaviours[select.value]));
  const row = element('tr', { id: `service-${service.name}` },
    element('td', { textContent: service.name }), element('td', {}, select), element('td'), element('td'));
  byId('services').append(row);
  return row;
}

async function showSwitches() {
  const answer = await ask('faults');
  byId('switches').hidden = !answer.ok;
  if (!answer.ok) {
    return;
  }

  for (const service of answer.data.services) {
    const row = byId(`service-${service.name}`) ?? addSwitch(service);
    const select = row.querySelector('select');
    if (select !== document.activeElement) {
      select.value = describe(service.fault);
    }
    row.cells[2].textContent = service.calls;
    row.cells[3].textContent = service.inFlight;
  }
  const { inUse, connections, waiting } = answer.data.database;
  byId('database').textContent = `${inUse} of ${connections}${waiting ? `, ${waiting} waiting` : ''}`;
}

function showCircuit(circuit) {
  const state = circuit.state.toLowerCase().replace(/[_-]/g, '');
  return element('li', {},
    element('span', { textContent: circuit.mode === 'shadow' ? `${circuit.name} (watching only)` : circuit.name }),
    element('span', { className: `pill ${state}`, textContent: state === 'halfopen' ? 'half-open' : state }));
}

function showBulkhead(bulkhead) {
  const refused = bulkhead.refused ? ` · ${bulkhead.refused} refused` : '';
  return element('li', {},
    element('span', { textContent: `${bulkhead.name} bulkhead` }),
    element('span', { className: 'quiet', textContent: `${bulkhead.inFlight} of ${bulkhead.limit}${refused}` }),
    element('meter', { max: bulkhead.limit, high: bulkhead.limit * 0.8, value: bulkhead.inFlight, ariaLabel: `${bulkhead.name} in flight` }));
}

function showFallback(fallback) {
  const served = [
    fallback.delegate ? `${fallback.delegate} by fallback` : null,
    fallback.stale ? `${fallback.stale} stale` : null,
    fallback.failed ? `${fallback.failed} failed` : null,
  ].filter(Boolean).join(' · ');
  return element('li', {},
    element('span', { textContent: fallback.endpoint }),
    element('span', { className: served ? 'served' : 'quiet', textContent: served || 'none needed' }));
}

function showLevel(status) {
  byId('level-line').hidden = !status?.level;
  byId('level').textContent = status?.degradation?.overridden ? `${status.level}, by hand` : status?.level;
  byId('level').classList.toggle('closed', status?.level === 'normal');
  byId('level').classList.toggle('halfopen', status?.level === 'reduced');
  byId('level').classList.toggle('open', status?.level === 'essential' || status?.level === 'survival');
}

async function showLayers() {
  const answer = await ask('resilience/status');
  const circuits = answer.data?.circuitBreakers ?? [];
  const off = answer.ok && circuits.every(circuit => circuit.mode === 'disabled');
  const limited = (answer.data?.bulkheads ?? []).filter(bulkhead => bulkhead.limit);
  byId('no-layers').hidden = !off;
  showLevel(off ? null : answer.data);
  byId('circuits').replaceChildren(...(off ? [] : circuits.map(showCircuit)));
  byId('bulkheads').replaceChildren(...(off ? [] : limited.map(showBulkhead)));
  byId('fallbacks').replaceChildren(...(off ? [] : (answer.data?.fallbacks ?? []).map(showFallback)));
}

// The next round starts when the last one ended: a slow shop must not collect rounds.
async function repeat(show, everyMs) {
  for (;;) {
    await show();
    await new Promise(resume => setTimeout(resume, document.hidden ? 5 * everyMs : everyMs));
  }
}

byId('rush').addEventListener('click', rush);
repeat(showProducts, 2000);
repeat(showPrices, 500);
repeat(showRecommendations, 2500);
repeat(showProfile, 2500);
repeat(showBenefits, 5000);
repeat(showHistory, 5000);
repeat(showSwitches, 700);
repeat(showLayers, 700);
