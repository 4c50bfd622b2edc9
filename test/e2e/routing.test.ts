/** The main job on real parts: Envoy, the router as a process, the shipped model, simulated endpoints. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { CATEGORY_PROMPTS } from '../fixtures/category-prompts.ts';
import { describeWithEnvoy } from './harness-describe.ts';
import { startStack, type Stack } from './harness.ts';
import { sleep, until } from './harness-wait.ts';

const MODELS = ['science', 'society', 'technical', 'general'];
/** Which model is best at what: four models, fourteen categories. */
const BEST: Readonly<Record<string, string>> = {
  biology: 'science',
  chemistry: 'science',
  physics: 'science',
  health: 'science',
  business: 'society',
  economics: 'society',
  history: 'society',
  law: 'society',
  philosophy: 'society',
  psychology: 'society',
  math: 'technical',
  'computer science': 'technical',
  engineering: 'technical',
  other: 'general',
};

const config = `
vllm_endpoints:
${MODELS.map((name) => `  - { name: ${name}, address: 127.0.0.1, port: '\${PORT_${name.toUpperCase()}}', models: [${name}] }`).join('\n')}
model_config:
  science: { reasoning_family: qwen3 }
  technical: { reasoning_family: gpt-oss }
default_model: general
classifier: { category_model: { threshold: 0.3 } }
timeouts: { decision: 5s }
categories:
${Object.entries(BEST)
  .map(
    ([category, best]) => `  - name: ${category}
    system_prompt: You are an expert in ${category}.
    model_scores:
      - { model: ${best}, score: 0.9, use_reasoning: ${category === 'math' || category === 'physics'} }
${MODELS.filter((name) => name !== best)
  .map((name) => `      - { model: ${name}, score: 0.3 }`)
  .join('\n')}`,
  )
  .join('\n')}
`;

describeWithEnvoy('a request on its way', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ config, sims: MODELS.map((name) => ({ name, models: [name], keep: 50 })) });
  }, 60_000);
  afterAll(() => stack.stop());
  beforeEach(() => MODELS.forEach((name) => stack.sim(name).forget()));

  const received = (): readonly string[] => MODELS.filter((name) => stack.sim(name).requests.length > 0);
  const ask = (content: unknown, extra: object = {}, headers: Record<string, string> = {}) =>
    stack.send({ body: { model: 'auto', messages: [{ role: 'user', content }], ...extra }, headers });

  describe('the category', () => {
    test.each(Object.entries(CATEGORY_PROMPTS))(
      '%s goes to the model that is best at it, with its prompt',
      async (category, prompt) => {
        await stack.watched(async () => {
          const answer = await ask(prompt);
          const best = BEST[category]!;
          expect(answer.status).toBe(200);
          expect(answer.headers).toMatchObject({
            'x-vsr-selected-model': best,
            'x-vsr-selected-category': category,
            'x-vsr-injected-system-prompt': 'true',
            'x-switchyard-decision': 'auto',
            'x-switchyard-attempts': '1',
          });
          expect(Number(answer.headers['x-switchyard-confidence'])).toBeGreaterThan(0.3);
          expect(Number(answer.headers['x-switchyard-latency-ms'])).toBeGreaterThan(0);
          expect(received()).toEqual([best]);
          const body = JSON.parse(stack.sim(best).requests[0]!.body!) as Record<string, unknown>;
          expect(body).toMatchObject({
            model: best,
            messages: [
              { role: 'system', content: `You are an expert in ${category}.` },
              { role: 'user', content: prompt },
            ],
          });
        })();
      },
    );

    test('one decision line explains it, with every field of the contract and no word of the prompt', async () => {
      const id = 'e2e-line-1';
      await ask(CATEGORY_PROMPTS['math'], {}, { 'x-request-id': id });
      const lines = (): readonly Record<string, unknown>[] =>
        stack.routingDecisions().filter((line) => line['request_id'] === id);
      await until(() => lines().length > 0, 'the decision line');
      expect(lines()).toHaveLength(1);
      const line = lines()[0]!;
      expect(Object.keys(line)).toEqual(
        expect.arrayContaining(
          'level time msg event reason_code request_id original_model selected_model category reasoning_enabled reasoning_effort selected_endpoint routing_latency_ms confidence entropy entropy_level reasoning_confidence reasoning_reason strategy top_categories policy_version'.split(
            ' ',
          ),
        ),
      );
      expect(line).toMatchObject({
        reason_code: 'auto_routing',
        original_model: 'auto',
        selected_model: 'technical',
        category: 'math',
        reasoning_enabled: true,
        reasoning_effort: 'medium',
      });
      expect(line['top_categories']).toHaveLength(3);
      expect(JSON.stringify(line)).not.toContain('derivative');
      expect(stack.logs()).not.toContain('derivative');
    });

    test('usage is read beside the answer', async () => {
      const id = 'e2e-usage-1';
      await ask(CATEGORY_PROMPTS['law'], {}, { 'x-request-id': id });
      const lines = (): readonly Record<string, unknown>[] =>
        stack.events('llm_usage').filter((line) => line['request_id'] === id);
      await until(() => lines().length > 0, 'the usage line');
      expect(lines()[0]).toMatchObject({ model: 'society' });
      expect(lines()[0]!['completion_tokens']).toBeGreaterThan(0);
      expect(lines()[0]).not.toHaveProperty('cost');
    });

    test('a follow-up is judged with the conversation before it', async () => {
      const answer = await stack.send({
        body: {
          model: 'auto',
          messages: [
            {
              role: 'user',
              content: 'Prove that the integral of x^2 from 0 to 3 is 9, then extend it to x^n by induction.',
            },
            {
              role: 'assistant',
              content: 'First I would find the antiderivative x^3/3, then do the induction on n. Shall I?',
            },
            { role: 'user', content: 'yes, do that' },
          ],
        },
      });
      expect(answer.headers['x-vsr-selected-category']).toBe('math');
    });
  });

  describe('reasoning', () => {
    test('on writes the family’s field', async () => {
      await ask(CATEGORY_PROMPTS['physics']);
      expect(JSON.parse(stack.sim('science').requests[0]!.body!)).toMatchObject({
        chat_template_kwargs: { enable_thinking: true },
      });
    });
    test('off writes it off', async () => {
      const answer = await ask(CATEGORY_PROMPTS['biology']);
      expect(JSON.parse(stack.sim('science').requests[0]!.body!)).toMatchObject({
        chat_template_kwargs: { enable_thinking: false },
      });
      expect(answer.headers['x-vsr-selected-reasoning']).toBe('off');
    });
    test('the caller’s own field stands', async () => {
      const answer = await ask(CATEGORY_PROMPTS['biology'], { chat_template_kwargs: { enable_thinking: true } });
      expect(JSON.parse(stack.sim('science').requests[0]!.body!)).toMatchObject({
        chat_template_kwargs: { enable_thinking: true },
      });
      expect(answer.headers['x-vsr-selected-reasoning']).toBe('on');
    });
  });

  describe('a concrete model', () => {
    const odd =
      ' {"vendor_x":12345678901234567890,"model" : "society" ,\n"temperature":1.0,"messages":"not even a list","a":{"a":1,"a":2},"e":"\\u00e9\\ud83d\\ude00"}\t\n';

    test('passes byte for byte, whatever else is in the body', async () => {
      const answer = await stack.send({ body: odd });
      expect(answer.status).toBe(200);
      expect(stack.sim('society').requests[0]?.body).toBe(odd);
      expect(received()).toEqual(['society']);
      expect(answer.headers).toMatchObject({
        'x-vsr-selected-model': 'society',
        'x-vsr-selected-category': '',
        'x-switchyard-decision': 'model_specified',
        'x-vsr-injected-system-prompt': 'false',
      });
      expect(answer.headers).not.toHaveProperty('x-switchyard-confidence');
    });

    test('also in pieces, without a content-length', async () => {
      await stack.send({ body: odd, chunkBytes: 7 });
      expect(stack.sim('society').requests[0]?.body).toBe(odd);
    });

    test('embeddings go to an endpoint of their model; an alias there is refused', async () => {
      const answer = await stack.send({ path: '/v1/embeddings', body: { model: 'science', input: 'x' } });
      expect(answer.status).toBe(200);
      expect(received()).toEqual(['science']);
      const refused = await stack.send({ path: '/v1/embeddings', body: { model: 'auto', input: 'x' } });
      expect([refused.status, refused.json.error.param]).toEqual([400, 'model']);
    });

    test('completions with an alias are routed by their prompt', async () => {
      const answer = await stack.send({
        path: '/v1/completions',
        body: { model: 'auto', prompt: CATEGORY_PROMPTS['math'] },
      });
      expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'technical']);
    });
  });

  describe('every byte that is not ours', () => {
    test('stays as it came', async () => {
      const before =
        '{"seed":12345678901234567890, "top_p":1.0,"x_vendor":{"b":1,"b":2} , "messages":[{"role":"user","content":"What is the derivative of x^3 ln(x)? \\u00e9"}],"model":"auto","model":"MoM"}';
      await stack.send({ body: before });
      const body = stack.sim('technical').requests[0]!.body!;
      expect(body).toContain('"seed":12345678901234567890, "top_p":1.0,"x_vendor":{"b":1,"b":2} , "messages":[');
      expect(body).toContain('{"role":"user","content":"What is the derivative of x^3 ln(x)? \\u00e9"}');
      expect(body).toContain('"model":"technical","model":"technical"');
      expect(stack.sim('technical').requests[0]!.headers['content-length']).toBe(String(Buffer.byteLength(body)));
    });

    test('a client’s own headers reach the endpoint, routing headers do not', async () => {
      const spoofed = {
        authorization: 'Bearer client-key',
        'x-request-id': 'kept-id',
        'x-custom': 'kept',
        'x-switchyard-decision': 'evil',
        'x-switchyard-anything': 'evil',
        'x-vsr-selected-model': 'evil',
        'x-envoy-max-retries': '9',
        'x-envoy-upstream-rq-timeout-ms': '1',
        'x-selected-model': 'general',
        'x-gateway-destination-endpoint': `127.0.0.1:${stack.sim('general').port}`,
      };
      const answer = await ask(CATEGORY_PROMPTS['law'], {}, spoofed);
      expect(received()).toEqual(['society']);
      const { headers } = stack.sim('society').requests[0]!;
      expect(headers).toMatchObject({
        authorization: 'Bearer client-key',
        'x-request-id': 'kept-id',
        'x-custom': 'kept',
        'x-selected-model': 'society',
        'x-gateway-destination-endpoint': expect.stringMatching(
          new RegExp(`^127\\.0\\.0\\.1:${stack.sim('society').port}(,|$)`),
        ),
      });
      expect(JSON.stringify(headers)).not.toContain('evil');
      expect(answer.headers['x-vsr-selected-model']).toBe('society');
    });
  });

  describe('what the client did wrong', () => {
    const message = { role: 'user', content: 'hi' };
    test.each([
      ['malformed JSON', '{"model":"auto",', 400, null],
      ['a BOM', '\ufeff{"model":"auto","messages":[]}', 400, null],
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, null],
      [
        'nesting over the limit',
        `{"model":"auto","messages":[],"x":${'['.repeat(10_001)}${']'.repeat(10_001)}}`,
        400,
        null,
      ],
      ['no model', { messages: [message] }, 400, 'model'],
      ['a model that is no string', { model: 7, messages: [message] }, 400, 'model'],
      ['no messages', { model: 'auto' }, 400, 'messages'],
      ['empty messages', { model: 'auto', messages: [] }, 400, 'messages'],
      ['a message that is no object', { model: 'auto', messages: ['hi'] }, 400, 'messages[0]'],
      [
        'content of a wrong type',
        { model: 'auto', messages: [{ role: 'user', content: 7 }] },
        400,
        'messages[0].content',
      ],
      ['an unknown model', { model: 'gpt-17', messages: [message] }, 404, 'model'],
    ])('%s', async (_what, body, status, param) => {
      await stack.watched(async () => {
        const answer = await stack.send({ body });
        expect(answer.status).toBe(status);
        expect(answer.headers['content-type']).toContain('application/json');
        expect(Object.keys(answer.json.error)).toEqual(expect.arrayContaining(['message', 'type', 'param', 'code']));
        if (param !== null) expect(answer.json.error.param).toBe(param);
        expect(received()).toEqual([]);
      })();
    });

    test.each([
      ['HTTP/1.0', 'POST /v1/chat/completions HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}', 426],
      ['headers that are too large', `GET / HTTP/1.1\r\nhost: a\r\nx-big: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ])('what Envoy itself refuses is answered at once: %s', async (_what, request, status) => {
      const { hostname, port } = new URL(stack.envoyUrl);
      const socket = connect(Number(port), hostname);
      socket.write(request);
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
        if (answer.includes('\r\n')) break;
      }
      expect(answer.split(' ', 2)[1]).toBe(String(status));
    });

    test('an alias on a path that nobody reads is refused; two slashes are one', async () => {
      const refused = await stack.send({ path: '/v1/rerank', body: { model: 'auto', query: 'x' } });
      expect([refused.status, refused.json.error.param]).toEqual([400, 'model']);
      const messages = [message];
      expect((await stack.send({ path: '/v1//chat/completions', body: { model: 'auto', messages } })).status).toBe(200);
    });

    test('an unknown model says model_not_found; an unknown path is an OpenAI-shaped 404', async () => {
      expect((await stack.chat('gpt-17')).json.error.code).toBe('model_not_found');
      const answer = await stack.send({ path: '/v2/nothing', method: 'GET' });
      expect([answer.status, typeof answer.json.error.message]).toEqual([404, 'string']);
    });

    test('a body over the limit is 413 in the same shape', async () => {
      const answer = await ask('x'.repeat(33 * 1024 * 1024));
      expect(answer.status).toBe(413);
      expect(answer.json.error.type).toBe('invalid_request_error');
      expect(received()).toEqual([]);
    });
  });

  test('GET /v1/models lists the aliases', async () => {
    const answer = await stack.send({ path: '/v1/models' });
    expect(answer.status).toBe(200);
    expect(answer.json.object).toBe('list');
    const ids = answer.json.data.map((model: { id: string }) => model.id);
    expect(ids).toEqual(expect.arrayContaining(['auto', 'MoM', 'vllm-sr/auto']));
    expect(ids).not.toContain('science');
  });

  test('a 20 MiB image goes through whole', async () => {
    const image = `data:image/png;base64,${'iVBORw0KGgo'.repeat(Math.ceil((20 * 1024 * 1024) / 11))}`;
    const content = [
      { type: 'text', text: CATEGORY_PROMPTS['history'] },
      { type: 'image_url', image_url: { url: image } },
    ];
    const answer = await ask(content);
    expect([answer.status, answer.headers['x-vsr-selected-model']]).toEqual([200, 'society']);
    const wanted = {
      model: 'society',
      messages: [
        { role: 'system', content: 'You are an expert in history.' },
        { role: 'user', content },
      ],
    };
    const [record] = stack.sim('society').requests;
    expect(record?.bodyBytes).toBe(Buffer.byteLength(JSON.stringify(wanted)));
    expect(record?.bodySha256).toBe(createHash('sha256').update(JSON.stringify(wanted)).digest('hex'));
  });

  test('a client that hangs up cancels the work at the endpoint', async () => {
    const abort = new AbortController();
    const pending = stack.send({
      body: { model: 'auto', stream: true, messages: [{ role: 'user', content: CATEGORY_PROMPTS['math'] }] },
      headers: { 'x-sim-chunks': '500', 'x-sim-chunk-delay-ms': '20' },
      signal: abort.signal,
      onChunk: () => abort.abort(),
    });
    expect((await pending).failure).not.toBeNull();
    await until(() => stack.sim('technical').requests[0]?.outcome === 'client_left', 'the endpoint to notice');
    expect((await stack.chat('auto')).status).toBe(200);
  });

  test('a client that hangs up while its body is on the way harms nobody', async () => {
    for (let i = 0; i < 20; i += 1) {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), i);
      await stack.send({ body: 'x'.repeat(4 * 1024 * 1024), chunkBytes: 64 * 1024, signal: abort.signal });
    }
    await sleep(100);
    expect((await stack.chat('auto')).status).toBe(200);
  });
});

describeWithEnvoy('the seed of the contract', () => {
  test('loads unchanged, and its one model answers', async () => {
    const seed = readFileSync('test/fixtures/seed.yaml', 'utf8').replace('port: 8000', "port: '${PORT_TINY}'");
    const stack = await startStack({
      config: seed,
      sims: [{ name: 'tiny', models: ['TinyLlama/TinyLlama-1.1B-Chat-v1.0'] }],
    });
    try {
      await stack.watched(async () => {
        const answer = await stack.send({
          body: { model: 'auto', messages: [{ role: 'user', content: CATEGORY_PROMPTS['math'] }] },
        });
        expect([
          answer.status,
          answer.headers['x-vsr-selected-category'],
          answer.headers['x-vsr-selected-reasoning'],
        ]).toEqual([200, 'math', 'on']);
        const body = JSON.parse(stack.sim('tiny').requests[0]!.body!) as Record<string, unknown>;
        expect(body).toMatchObject({
          model: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
          reasoning_effort: 'medium',
          messages: [{ role: 'system', content: 'You are a mathematics expert. ...' }, { role: 'user' }],
        });
      })();
    } finally {
      await stack.stop();
    }
  }, 60_000);
});
