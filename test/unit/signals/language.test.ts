import { describe, expect, test } from '@jest/globals';
import { detectLanguage } from '../../../src/signals/language.ts';
import { CASUAL_CHANGES, CASUAL_FOLLOW_UPS, CHANGES, CONVERSATIONS, GENERIC_FOLLOW_UPS } from './conversations.ts';

describe('other languages are told, and named', () => {
  test.each([
    ['es', '¿Cuál es la diferencia entre una célula animal y una célula vegetal? Explícame con ejemplos, por favor.'],
    ['es', 'Necesito escribir una carta para mi jefe, ¿cómo puedo empezar?'],
    [
      'fr',
      "Explique-moi comment fonctionne un moteur à combustion et pourquoi il est moins efficace qu'un moteur électrique.",
    ],
    ['fr', 'Quelle est la capitale de la Suisse et combien d’habitants y sont installés ?'],
    ['de', 'Wie berechne ich die Wahrscheinlichkeit, dass bei zwei Würfeln die Summe größer als neun ist?'],
    ['de', 'Bitte schreibe mir eine kurze Rede für die Hochzeit meiner Schwester.'],
    [
      'it',
      'Come posso calcolare il perimetro di un triangolo quando conosco solo gli angoli e un lato? Spiega perché.',
    ],
    ['pt', 'Você pode me explicar como funciona a bolsa de valores e quais são os riscos para quem começa?'],
    ['nl', 'Hoe kan ik het beste een sollicitatiebrief schrijven voor een baan bij een bank?'],
    ['pl', 'Jak rozwiązać równanie kwadratowe i dlaczego delta jest ważna? Napisz przykład.'],
    ['tr', 'Bu cümleyi nasıl daha kısa yazabilirim ve neden bu kadar uzun olarak görünüyor?'],
    ['vi', 'Hãy giải thích cho tôi tại sao bầu trời có màu xanh và những yếu tố nào ảnh hưởng đến nó.'],
    ['id', 'Tolong jelaskan bagaimana cara kerja mesin diesel dan apa bedanya dengan mesin bensin yang biasa.'],
    ['sv', 'Hur kan jag lära mig att programmera och vilken bok är bäst för en nybörjare?'],
    ['ru', 'Объясни, пожалуйста, что такое производная и как её найти.'],
    ['uk', 'Поясніть, будь ласка, що таке інфляція та чому вона виникає.'],
    ['zh', '请用简单的语言解释光合作用的过程。'],
    ['ja', '量子コンピュータの仕組みをわかりやすく説明してください。'],
    ['ko', '인공지능이 사회에 미치는 영향에 대해 설명해 주세요.'],
    ['ar', 'اشرح لي كيف تعمل الخلايا الشمسية ولماذا هي مهمة.'],
    ['fa', 'لطفاً توضیح بده که چگونه برنامه‌نویسی را شروع کنم.'],
    ['he', 'הסבר לי בבקשה איך עובד מנוע בעירה פנימית.'],
    ['el', 'Εξήγησέ μου πώς λειτουργεί η φωτοσύνθεση στα φυτά.'],
    ['th', 'ช่วยอธิบายการทำงานของเครื่องยนต์ให้หน่อย'],
    ['hi', 'कृपया मुझे प्रकाश संश्लेषण की प्रक्रिया समझाइए।'],
  ])('%s: %s', (code, text) => expect(detectLanguage(text)).toEqual({ code, unsupported: true }));
});

describe('English, code and maths are never refused', () => {
  const english = [
    ...CONVERSATIONS.flatMap(({ user, assistant, followUp }) => [user, assistant, followUp]),
    ...GENERIC_FOLLOW_UPS,
    ...CASUAL_FOLLOW_UPS,
    ...[...CHANGES, ...CASUAL_CHANGES].map(([, text]) => text),
  ];
  test.each(english)('%s', (text) => {
    const { code, unsupported } = detectLanguage(text);
    expect(unsupported).toBe(false);
    expect([null, 'en']).toContain(code);
  });

  test.each([
    ['∀ε>0 ∃δ>0: |x−a|<δ ⇒ |f(x)−L|<ε'],
    ['Let α, β, γ be the angles and Σ the sum; show that α + β + γ = π.'],
    ['SELECT de.id, la.name FROM del de JOIN les la ON de.id = la.id WHERE des = un'],
    ['const el = document.querySelector("#que"); el.onclick = () => { le.un(des, est); };'],
    ['What does the Latin phrase "de minimis non curat lex" mean?'],
    ['Translate to English: 请用简单的语言解释。'],
    [
      'Please translate the following text into English: El perro de mi hermana es muy grande y no le gusta que los niños estén en la casa.',
    ],
    ['What is the meaning of 你好 in the sentence 你好吗?'],
    ['lorem ipsum dolor sit amet, consectetur adipiscing elit'],
    ['ACGTACGTTAGCCGATCGATCGGCTA'],
    [''],
    ['12345 67890'],
    ['👍👍👍'],
  ])('%s', (text) => expect(detectLanguage(text).unsupported).toBe(false));
});

test.each([
  ['a word or two is no proof', 'hola amigo', false],
  ['a short greeting in Chinese', '你好', false],
  [
    'code between fences does not count',
    'Why does this fail?\n```\n// функция для расчёта среднего значения списка\n```',
    false,
  ],
  [
    'an English beginning and a long foreign end',
    `Summarise this text for me please: ${'Объясни мне, что такое производная. '.repeat(3)}`,
    true,
  ],
])('%s', (_, text, unsupported) => expect(detectLanguage(text).unsupported).toBe(unsupported));

test('a megabyte costs no more than its beginning', () => {
  const text = 'Объясни '.repeat(125_000);
  detectLanguage(text);
  const start = performance.now();
  detectLanguage(text);
  expect(performance.now() - start).toBeLessThan(50);
});
