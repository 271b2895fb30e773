const byId = (id) => document.getElementById(id);
const form = byId('form');
const numberInput = byId('number');
const keyInput = byId('key');

const estimateDelayMs = 250;
const pollMs = 2000;
const shownDigits = 60;

/** What the page is about now; anything that arrives for an older one is dropped. */
let current = { number: '', abort: new AbortController() };

const grouped = (text) => String(text).replace(/\B(?=(\d{3})+$)/g, '\u202f');

function show(id, visible) {
  byId(id).hidden = !visible;
}

function setProblem(text) {
  byId('problem').textContent = text ?? '';
  show('problem', Boolean(text));
}

function setFacts(id, facts) {
  const entries = facts
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value, className = '']) => {
      const entry = document.createElement('div');
      const term = document.createElement('dt');
      const detail = document.createElement('dd');
      entry.className = className;
      term.textContent = name;
      detail.textContent = value;
      entry.append(term, detail);
      return entry;
    });
  byId(id).replaceChildren(...entries);
}

function humanBytes(bytes) {
  if (bytes === null) return null;
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

function humanSeconds(seconds) {
  if (seconds === null) return null;
  if (seconds < 1) return 'under a second';
  if (seconds < 120) return `about ${Math.round(seconds)} s`;
  if (seconds < 7200) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}

/** The JSON answer; throws an Error with the problem's words and status. */
async function call(path, init = {}) {
  const response = await fetch(path, { signal: current.abort.signal, ...init });
  const body = await response.json();
  if (response.ok) return body;
  throw Object.assign(new Error(body.detail ?? response.statusText), { status: response.status });
}

function keyHeaders() {
  return keyInput.value === '' ? {} : { 'x-api-key': keyInput.value };
}

function begin(number) {
  current.abort.abort();
  current = { number, abort: new AbortController() };
  setProblem('');
  for (const id of ['estimate', 'run', 'result']) show(id, false);
  byId('start').disabled = false;
}

/** Runs a task for the current n and shows what goes wrong, unless another n has taken over. */
async function guarded(task) {
  const mine = current;
  try {
    await task();
  } catch (error) {
    if (mine !== current || error.name === 'AbortError') return;
    if (error.status === 401) show('key-row', true);
    setProblem(error.message);
  }
}

async function showEstimate(number) {
  const estimate = await call(`/factorial/estimate?number=${number}`);
  setFacts('estimate-facts', [
    ['Digits', grouped(estimate.digits)],
    ['Trailing zeros', grouped(estimate.trailingZeros)],
    ['Time', humanSeconds(estimate.estimatedSeconds)],
    ['Memory', humanBytes(estimate.memoryBytes)],
    ['Scratch files', estimate.storage === 'scratch' ? humanBytes(estimate.scratchBytes) : null],
    ['Begins with', estimate.leadingDigits, 'wide mono'],
    ['Not possible here', estimate.reason, 'wide'],
  ]);
  show('estimate', true);
  byId('start').disabled = !estimate.fits;
}

async function start(number) {
  const headers = { 'content-type': 'application/json', ...keyHeaders() };
  const row = await call('/factorial', { method: 'POST', headers, body: JSON.stringify({ number }) });
  await (row.status === 'done' ? showResult(row) : follow(row));
}

/** Follows the event stream; where it is cut or refused, the metadata is asked instead. */
function follow(row) {
  showRow(row);
  return new Promise((resolve, reject) => {
    const source = new EventSource(row.links.events);
    const { signal } = current.abort;
    const settle = (act) => {
      source.close();
      act();
    };
    signal.addEventListener('abort', () => settle(resolve), { once: true });
    source.addEventListener('progress', (event) => showRow(JSON.parse(event.data)));
    for (const name of ['done', 'failed']) {
      source.addEventListener(name, (event) => settle(() => ended(JSON.parse(event.data)).then(resolve, reject)));
    }
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED && !signal.aborted) settle(() => poll(row).then(resolve, reject));
    });
  });
}

async function poll(row) {
  for (let state = row; ; state = await call(row.links.self)) {
    if (state.status === 'done' || state.status === 'failed') return ended(state);
    showRow(state);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function ended(row) {
  if (row.status === 'done') return showResult(row);
  show('run', false);
  throw new Error(`The calculation ended without a result: ${row.error?.message ?? 'no reason given'}`);
}

function showRow(row) {
  const bar = byId('bar');
  const { progress } = row;
  if (progress && progress.total > 0) bar.value = progress.done / progress.total;
  else bar.removeAttribute('value');
  if (progress?.phase === 'waiting') bar.removeAttribute('value');
  byId('phase').textContent = phaseText(row);
  show('run', true);
  byId('start').disabled = true;
}

/** What a row that is not done is at, in words. */
function phaseText({ status, progress }) {
  if (!progress) return status;
  if (progress.phase === 'waiting') return `waiting for its turn: ${progress.reason ?? 'other calculations run'}`;
  const percent = progress.total > 0 ? `, ${Math.floor((100 * progress.done) / progress.total)} %` : '';
  const left = progress.secondsLeft === null ? '' : `, ${humanSeconds(progress.secondsLeft)} left`;
  return `${status}: ${progress.phase}${percent}${left}`;
}

async function slice(row, range) {
  const response = await fetch(row.links.digits, { headers: { range }, signal: current.abort.signal });
  if (!response.ok) throw new Error(`The digits could not be read (${response.status}).`);
  return response.text();
}

function gap(text) {
  const element = document.createElement('span');
  element.className = 'gap';
  element.textContent = text;
  return element;
}

/** The first digits, the last ones before the trailing zeros, and how many there are of what is left out. */
async function showDigits(row) {
  const count = BigInt(row.digits);
  const zeros = BigInt(row.trailingZeros);
  const significant = count - zeros;
  const shown = BigInt(shownDigits);
  if (count <= 4n * shown) return byId('digits').replaceChildren(await slice(row, `bytes=0-${count - 1n}`));
  const parts = [];
  if (significant <= 2n * shown) {
    parts.push(await slice(row, `bytes=0-${significant - 1n}`));
  } else {
    parts.push(await slice(row, `bytes=0-${shown - 1n}`), gap(`… ${grouped(significant - 2n * shown)} more …`));
    parts.push(await slice(row, `bytes=${significant - shown}-${significant - 1n}`));
  }
  byId('digits').replaceChildren(...parts, gap(`and ${grouped(zeros)} zeros`));
}

async function showResult(row) {
  show('run', false);
  await showDigits(row);
  setFacts('result-facts', [
    ['Digits', grouped(row.digits)],
    ['Trailing zeros', grouped(row.trailingZeros)],
    ['SHA-256', row.checksum, 'wide mono'],
  ]);
  byId('result-title').textContent = `${grouped(row.number)}!`;
  const download = byId('download');
  download.href = row.links.digits;
  download.download = `factorial-${row.number}.txt`;
  byId('copy').onclick = () => navigator.clipboard?.writeText(row.checksum);
  show('estimate', false);
  show('result', true);
  byId('start').disabled = false;
  void showRecent();
}

async function showRecent() {
  const response = await fetch('/factorial/list?limit=12');
  if (!response.ok) return;
  const { items } = await response.json();
  const done = items.filter((row) => row.status === 'done');
  byId('recent-list').replaceChildren(
    ...done.map((row) => {
      const entry = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'quiet';
      button.textContent = `${grouped(row.number)}!`;
      button.addEventListener('click', () => {
        numberInput.value = row.number;
        checkInput();
        begin(row.number);
        void guarded(() => showResult(row));
      });
      entry.append(button);
      return entry;
    }),
  );
  show('recent', done.length > 0);
}

/** Whether the field holds an n; says what is wrong otherwise. */
function checkInput() {
  const text = numberInput.value.trim();
  const valid = /^(0|[1-9][0-9]{0,18})$/.test(text);
  numberInput.setAttribute('aria-invalid', String(text !== '' && !valid));
  byId('hint').textContent =
    text === '' || valid ? 'A whole number, digits only.' : 'Only digits, no leading zeros, no separators.';
  return valid;
}

let timer;
numberInput.addEventListener('input', () => {
  clearTimeout(timer);
  begin(numberInput.value.trim());
  if (checkInput()) timer = setTimeout(() => guarded(() => showEstimate(current.number)), estimateDelayMs);
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  clearTimeout(timer);
  if (!checkInput()) return numberInput.focus();
  begin(numberInput.value.trim());
  void guarded(() => start(current.number));
});

byId('cancel').addEventListener('click', () =>
  guarded(() => call(`/factorial?number=${current.number}`, { method: 'DELETE', headers: keyHeaders() })),
);

void showRecent();
numberInput.focus();
