/** What a simulated endpoint makes of a request body, and the text that it answers with. */

/** The parts of a request that the answer is made from. Everything may be missing: the body is a client's. */
export interface SimRequest {
  readonly model: string | null;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly systemPrompt: string | null;
  readonly lastText: string;
  /** The reasoning fields as received, like `chat_template_kwargs.enable_thinking = true`. */
  readonly reasoning: readonly string[];
  /** Characters of all text, for the token count. */
  readonly textLength: number;
  /** Texts of an embeddings request. */
  readonly inputs: readonly string[];
}

/** Null when the body is not a JSON object. */
export function readRequest(body: Buffer): SimRequest | null {
  const root = parseObject(body);
  if (root === null) return null;
  const messages = arrayOf(root['messages']).map(objectOf);
  const texts = messages.map((message) => textOf(message['content']));
  const prompt = typeof root['prompt'] === 'string' ? root['prompt'] : '';
  const first = messages[0]?.['role'];
  return {
    model: typeof root['model'] === 'string' ? root['model'] : null,
    stream: root['stream'] === true,
    includeUsage: objectOf(root['stream_options'])['include_usage'] === true,
    systemPrompt: first === 'system' || first === 'developer' ? (texts[0] ?? '') : null,
    lastText: texts.at(-1) ?? prompt,
    reasoning: reasoningFields(root),
    textLength: texts.reduce((sum, text) => sum + text.length, prompt.length),
    inputs: typeof root['input'] === 'string' ? [root['input']] : arrayOf(root['input']).map(String),
  };
}

/** A sentence or two that show what reached the model: meant for people who try the router out. */
export function answerText(model: string, request: SimRequest): string {
  const prompt =
    request.systemPrompt === null ? 'no system prompt' : `the system prompt "${short(request.systemPrompt)}"`;
  const reasoning = request.reasoning.length === 0 ? 'no reasoning field' : request.reasoning.join(', ');
  return `Hello from ${model} (simulated). I was given ${prompt} and ${reasoning}. You said: "${short(request.lastText)}"`;
}

/** About four characters a token, as in English text. */
export function tokensOf(length: number): number {
  return Math.max(1, Math.ceil(length / 4));
}

function reasoningFields(root: Readonly<Record<string, unknown>>): string[] {
  const kwargs = Object.entries(objectOf(root['chat_template_kwargs'])).map(
    ([key, value]) => `chat_template_kwargs.${key} = ${JSON.stringify(value)}`,
  );
  const effort = root['reasoning_effort'];
  return effort === undefined ? kwargs : [...kwargs, `reasoning_effort = ${JSON.stringify(effort)}`];
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return arrayOf(content)
    .map((part) => objectOf(part)['text'])
    .filter((text) => typeof text === 'string')
    .join('\n');
}

function short(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const root: unknown = JSON.parse(body.toString('utf8'));
    return typeof root === 'object' && root !== null && !Array.isArray(root) ? objectOf(root) : null;
  } catch {
    return null;
  }
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
