/** Conversations written for these tests: the question and the answer before a follow-up, two a category. */
export interface Conversation {
  readonly category: string;
  readonly user: string;
  readonly assistant: string;
  /** A short follow-up that names something of its subject. */
  readonly followUp: string;
}

const row = (category: string, user: string, assistant: string, followUp: string): Conversation => ({
  category,
  user,
  assistant,
  followUp,
});

export const CONVERSATIONS: readonly Conversation[] = [
  row(
    'math',
    'I need to prove that the sum of the first n odd numbers is n squared. How would you go about it?',
    'There are two good ways. The first is induction: check n = 1, assume 1 + 3 + … + (2k − 1) = k², then add 2k + 1 to both sides and get (k + 1)². The second is a picture of nested L shapes. I can write out the induction in full, with the base case and the inductive step. Shall I?',
    'And for the even numbers?',
  ),
  row(
    'math',
    'Find all real solutions of x^4 - 5x^2 + 4 = 0 and sketch the graph of the polynomial.',
    'Substitute u = x². Then u² − 5u + 4 = (u − 1)(u − 4) = 0, so u = 1 or u = 4 and x = ±1, ±2. The graph is a W: it crosses the axis at these four points, has a local maximum of 4 at x = 0 and two minima of −9/4 at x = ±√(5/2).',
    'What about the second derivative?',
  ),
  row(
    'physics',
    'A satellite circles the Earth 400 km above the surface. What is its speed and its period?',
    'Gravity gives the centripetal force: v = √(GM/r) with r = 6,371 + 400 km, so v ≈ 7.67 km/s. The period is 2πr/v ≈ 5,550 s, a little over 92 minutes. Drag is neglected here, although at this height it makes the orbit decay over months.',
    'And at twice the height?',
  ),
  row(
    'physics',
    'Why does a prism split white light into colours while a flat pane of glass does not?',
    'The refractive index of glass depends on the wavelength, so each colour bends by a different angle at each face. In a pane the two faces are parallel and the second one undoes the first; in a prism they are not, so the deviations add up and the colours leave in different directions.',
    'Is it the same with sound waves?',
  ),
  row(
    'chemistry',
    'How do I balance the combustion of propane, and how much oxygen does 44 g of it need?',
    'C3H8 + 5 O2 → 3 CO2 + 4 H2O. 44 g of propane is one mole, so it needs five moles of oxygen, 160 g, and gives three moles of carbon dioxide and four of water. With too little oxygen, carbon monoxide and soot form instead.',
    'Now with butane',
  ),
  row(
    'chemistry',
    'Explain why acetic acid is a weak acid and hydrochloric acid a strong one.',
    'In water HCl gives up its proton completely, since chloride is a very stable base. Acetic acid is in equilibrium with acetate: its Ka is 1.8 × 10⁻⁵, so at 0.1 mol/L only about one molecule in a hundred is dissociated and the pH is near 2.9 instead of 1.',
    'What would the buffer look like?',
  ),
  row(
    'biology',
    'What happens in each stage of mitosis, and how does it differ from meiosis?',
    'In prophase the chromosomes condense, in metaphase they line up, in anaphase the sister chromatids are pulled apart, in telophase two nuclei form. Meiosis does this twice with one replication, pairs homologous chromosomes and lets them cross over, and so ends in four haploid cells instead of two diploid ones.',
    'Where does crossing over come in?',
  ),
  row(
    'biology',
    'How do vaccines teach the immune system to recognise a virus?',
    'They show it an antigen without the disease. Dendritic cells present pieces of it to T helper cells, which activate B cells that fit; these multiply, refine their antibodies in the lymph nodes, and leave memory cells behind. At the next contact the memory cells answer within days.',
    'How long do those cells live?',
  ),
  row(
    'computer science',
    'My SQL query over 20 million rows takes 40 seconds. It joins orders with customers and filters by date. How can I make it faster?',
    'Look at the plan with EXPLAIN ANALYZE first. A sequential scan on orders means that an index on (order_date, customer_id) is missing. Also check that the statistics are fresh, select only the columns that you need, and consider partitioning the table by month. I can rewrite the query for you if you paste it.',
    'The index did not help',
  ),
  row(
    'computer science',
    'Implement an LRU cache in Python with O(1) get and put.',
    'class LRUCache:\n    def __init__(self, capacity):\n        self.capacity = capacity\n        self.items = OrderedDict()\n    def get(self, key):\n        if key not in self.items: return -1\n        self.items.move_to_end(key)\n        return self.items[key]\n    def put(self, key, value):\n        self.items[key] = value\n        self.items.move_to_end(key)\n        if len(self.items) > self.capacity: self.items.popitem(last=False)',
    'Now in Rust please',
  ),
  row(
    'engineering',
    'I have to size a beam of structural steel over a span of 6 m with a uniform load of 12 kN/m. Where do I begin?',
    'The largest bending moment is wL²/8 = 54 kNm at mid-span. With S235 and a safety factor of 1.5 the allowed stress is about 157 MPa, so the section modulus must be at least 344 cm³: an IPE 270 is enough. Then check the deflection against L/300 and the lateral buckling.',
    'What if both ends are fixed?',
  ),
  row(
    'engineering',
    'How do I design a low-pass filter with a cut-off of 1 kHz for a sensor signal that a microcontroller samples at 10 kHz?',
    'A second-order Sallen-Key stage with a Butterworth response will do: R = 10 kΩ and C near 16 nF set 1 kHz, and a gain of 1.586 gives the flat pass band. At 5 kHz, half of your sampling rate, it attenuates by 28 dB. For more, cascade two stages or sample faster.',
    'Which op-amp should I take?',
  ),
  row(
    'economics',
    'What happens to the price of flats in a city when a rent ceiling below the market price is introduced?',
    'At the lower price more flats are demanded and fewer are offered, so there is a shortage. Landlords invest less, turn flats into property for sale, and choose tenants by other means than price. Sitting tenants gain and newcomers lose; the long-run effect is larger since supply is more elastic then.',
    'And the long-run supply?',
  ),
  row(
    'economics',
    'Explain the Phillips curve and why economists stopped trusting it in the 1970s.',
    'It is the negative relation between unemployment and wage inflation that Phillips saw in British data. Friedman and Phelps argued that it shifts with expected inflation, so it is vertical in the long run. Then the oil shocks raised inflation and unemployment at once, and stagflation could not be drawn on the old curve.',
    'What did the central banks do?',
  ),
  row(
    'business',
    'I run a small bakery with two shops and want to open a third one. How do I work out whether it pays?',
    'Write down the investment, the rent, the wages and the contribution margin a loaf. The break-even is fixed cost divided by margin; compare it with the sales of your present shops in their first year. Plan the cash flow by month, and add a scenario with sales one third lower. Shall I make a template?',
    'And the marketing budget?',
  ),
  row(
    'business',
    'Our team has high turnover. What should a retention strategy for employees of a software company contain?',
    'Begin with exit and stay interviews to learn the true reasons. Then pay in line with the market, clear career levels, managers who are trained to give feedback, and flexible work. Measure voluntary turnover by team each quarter and tie part of the managers’ goals to it.',
    'How do I sell it to the board?',
  ),
  row(
    'law',
    'My landlord wants to keep my deposit for normal wear and tear. Which rights do I have as a tenant?',
    'In most jurisdictions a deposit may be kept only for damage beyond normal wear and for unpaid rent, and the landlord must give an itemised list within a set time. Ask for it in writing, add photos and the handover record, and set a deadline. After that small claims court is the usual way; some statutes award double or triple damages.',
    'How long is the deadline?',
  ),
  row(
    'law',
    'What is the difference between murder and manslaughter under common law?',
    'Murder needs malice aforethought: intent to kill or to do grievous harm, extreme recklessness, or a felony murder. Manslaughter lacks it: voluntary, when a person is provoked and acts in the heat of passion, or involuntary, when death comes from criminal negligence or an unlawful act.',
    'And with self-defence?',
  ),
  row(
    'health',
    'I have had a dry cough for three weeks after a cold. Should I see a doctor?',
    'A cough often lasts three to eight weeks after a viral infection, as the airways stay irritable. See a doctor at once with shortness of breath, blood, fever that comes back, chest pain or weight loss; also if you smoke, take an ACE inhibitor or have asthma. Otherwise fluids, honey and no smoke are sensible.',
    'What about antibiotics?',
  ),
  row(
    'health',
    'How much protein should a 70 kg person who lifts weights eat in a day, and from which foods?',
    'About 1.6 g for each kilogram, so 110 g, spread over three or four meals. Eggs, fish, poultry, yoghurt, tofu, lentils and beans are good sources. More than 2.2 g for each kilogram brings no further muscle; with kidney disease ask a doctor first.',
    'Is it bad for the kidneys?',
  ),
  row(
    'history',
    'Why did the Weimar Republic fail?',
    'It was born out of a lost war and a treaty that most Germans rejected. The hyperinflation of 1923 and the depression after 1929 ruined the middle class; proportional representation made weak coalitions; article 48 let presidents rule by decree, and conservative elites thought that they could use Hitler in 1933.',
    'And the role of Hindenburg?',
  ),
  row(
    'history',
    'How did the Silk Road shape the Mongol Empire and the cities on its way?',
    'The Mongols protected the merchants, kept relay stations and lowered tolls, so goods, paper money and the plague travelled faster than before. Samarkand, Bukhara and Kashgar grew rich as markets. When the khanates fell apart in the fourteenth century, trade moved to the sea.',
    'When did that end?',
  ),
  row(
    'philosophy',
    'What is the difference between utilitarianism and deontological ethics? Use the trolley problem.',
    'A utilitarian counts consequences: pulling the lever saves four lives, so it is right, and so is pushing the man off the bridge. For Kant an act must follow a maxim that could be a universal law and never use a person merely as a means; pushing the man does, and so it is forbidden, whatever the sum.',
    'And what would Aristotle say?',
  ),
  row(
    'philosophy',
    'Does free will make sense if determinism is true?',
    'Compatibilists such as Hume and Frankfurt say yes: an act is free when it flows from my own desires and reasons, even though these have causes. Incompatibilists answer that I could not have done otherwise. Libertarians then deny determinism, hard determinists deny free will.',
    'Which view is the strongest?',
  ),
  row(
    'psychology',
    'What did Milgram’s obedience experiments show, and why are they criticised?',
    'Two thirds of the participants went to the highest voltage when an authority told them to. Milgram explained it by an agentic state, in which responsibility is handed over. Critics name the deception and stress, the doubt whether the participants believed in the shocks, and replications that find identification rather than obedience.',
    'Was it ever replicated?',
  ),
  row(
    'psychology',
    'How do I tell whether my child’s fear of strangers is normal attachment behaviour?',
    'Fear of strangers appears at about eight months and fades after the second birthday; it shows that the child tells its attachment figures from others. In Ainsworth’s strange situation a securely attached child protests at separation and calms down at reunion. Look for help when the fear grows after the age of three or stops it from playing.',
    'And at what age does it stop?',
  ),
  row(
    'other',
    'Suggest a name for my cat. She is grey, very calm and likes to sleep in the sun.',
    'How about Misty, Pebble, Luna, Smokey, Cleo or Dusk? Pebble suits a calm grey cat, and Dusk is rarer. If you like names of food, Sesame and Olive are sweet too. Say each of them aloud at the window and see which one she looks up for.',
    'Something more French?',
  ),
  row(
    'other',
    'Plan a weekend in Lisbon for two people who like food and old streets.',
    'Saturday: tram 28 early, the castle, lunch in Alfama, an afternoon at the tile museum, fado in the evening. Sunday: pastéis in Belém before the queue, the monastery, then the market hall in Cais do Sodré and sunset at the Miradouro da Graça. Book the fado house in advance.',
    'And if it rains?',
  ),
];

/** Follow-ups that say nothing about the subject: they mean what the conversation was about. */
export const GENERIC_FOLLOW_UPS: readonly string[] = [
  'yes, do that',
  'Yes please',
  'ok go on',
  'continue',
  'why?',
  'Can you explain the second step in more detail?',
  'I do not understand. Please explain it again, more simply.',
  'shorter please',
  'Can you give me an example?',
  'Are you sure about that?',
  'thanks! what else should I know?',
  'how so?',
  'Put that in a table',
  'summarize your answer in three bullet points',
  'no, the other one',
  'What do you mean by that?',
  'write it out in full',
  'that is wrong, try again',
];

/** Short prompts that change the subject, with the category of the new one. */
export const CHANGES: readonly (readonly [category: string, prompt: string])[] = [
  ['other', 'now write me a poem about autumn'],
  ['other', 'Ok thanks. Now tell me a joke about cats.'],
  ['other', 'translate "good morning" into French'],
  ['other', 'what is the weather like in Berlin today?'],
  ['other', 'recommend me a good movie for tonight'],
  ['other', 'write a birthday message for my sister'],
  ['computer science', 'now write a python function that reverses a string'],
  ['computer science', 'how do I undo the last git commit?'],
  ['computer science', 'fix this bug: TypeError: undefined is not a function'],
  ['computer science', 'what is a docker container?'],
  ['math', 'what is 17 * 23?'],
  ['math', 'solve x^2 - 4 = 0'],
  ['math', 'what is the derivative of sin(x)?'],
  ['physics', 'why is the sky blue?'],
  ['physics', 'how fast does light travel in water?'],
  ['chemistry', 'what is the molar mass of glucose?'],
  ['biology', 'how does DNA replication work?'],
  ['health', 'what helps against a headache?'],
  ['history', 'who was Julius Caesar?'],
  ['history', 'when did the first world war begin?'],
  ['law', 'can my employer fire me without notice?'],
  ['economics', 'what causes inflation?'],
  ['business', 'write a marketing plan for a coffee shop'],
  ['philosophy', 'what did Plato think about justice?'],
  ['psychology', 'what is classical conditioning?'],
  ['engineering', 'how does a heat exchanger work?'],
];
