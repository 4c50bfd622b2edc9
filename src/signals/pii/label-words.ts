/** What a word before a number says about it. Numbers, since the last label of each is kept in an array. */
export const FAMILY = {
  phone: 0,
  call: 1,
  card: 2,
  ssn: 3,
  birthDate: 4,
  born: 5,
  passport: 6,
  licence: 7,
  mac: 8,
  postcode: 9,
  thing: 10,
} as const;

export type LabelFamily = (typeof FAMILY)[keyof typeof FAMILY];
export const FAMILIES = Object.keys(FAMILY).length;

const words = (list: string): readonly string[] => list.split('|');

/**
 * The words of each family, as patterns that begin with two plain small letters (or one letter of another script), by which they are looked
 * up. `!` stands for "and no letter after it". English, and the commonest of the languages around the Mediterranean and the North Sea.
 */
export const LABEL_WORDS: Readonly<Record<keyof typeof FAMILY, readonly string[]>> = {
  passport: words('passport|reisepass|pasaporte|passeport|passaport|paspoort|paszport|паспорт|护照'),
  licence: [
    "driv(?:er|ing)['’]?s?['’]?[ _-]?(?:licen[cs]es?|permit)",
    'dl ?(?=#|no|num|:|[a-z]?[0-9]{6})',
    'licen[cs]e (?:number|no[.]?|#)',
    ...words('führerschein|fuehrerschein|permis de conduire|carnet de conducir|licencia de conducir|patente di guida'),
    ...words('rijbewijs|prawo jazdy|dmv!'),
  ],
  birthDate: [
    'birth[ _-]?da(?:te|y)',
    'geburts(?:datum|tag)',
    ...words(
      'dob!|d.o.b|date[ _]?of[ _]?birth|bday!|b-day!|geb[.]|date de naissance|fecha de nacimiento|data di nascita',
    ),
    ...words('data de nascimento|geboortedatum|data urodzenia|дата рождения'),
  ],
  born: [...words('born!|geboren!|née? le|nacid[oa]!|nací|nat[oa] il|nascid[oa]!|urodzon[ya]'), 'родил(?:ся|ась)'],
  ssn: [
    "social(?='s| is| #|:| no)",
    ...words('ssns?!|social[ _-]?security|social[ _-]?sec|soc[.]? sec|ss ?#|taxpayer|tax id|irs!'),
  ],
  postcode: [
    'zip(?:[ _-]?codes?)?!',
    'post(?:al)?[ _-]?codes?',
    ...words('plz!|postleitzahl|code postal|código postal|codigo postal|cep!|pin ?code|postnummer|kod pocztowy|〒'),
  ],
  card: [
    ...words(
      'card|visa!|master ?card|amex|american express|discover!|diners|jcb|union ?pay|maestro|credit|debit|cc!|pan!',
    ),
    ...words('karte|kredit|carte!|tarjeta|cartão|carta di'),
  ],
  phone: [
    'contact (?:number|no)',
    ...words(
      'phone|telephone|telefon|téléphone|teléfono|tel!|cell!|cell ?phone|cellular|mobile|mobil!|mobiltelefon|mob!',
    ),
    ...words('handy|whats ?app|fax!|hotline|voicemail|portable!|móvil!|movil!|celular|gsm!|emergency contact|sms!'),
    ...words('телефон|電話|电话|手机'),
  ],
  call: [
    'text (?:me|us|him|her)!',
    ...words('call!|calls!|called!|calling!|ring!|dial|reach|my number|contact|telegram!|signal!'),
    ...words('anruf|ruf!|appel|llám|llam|chiam|bel me|dzwoni'),
  ],
  mac: words('mac!|cisco|arp!|hwaddr|ethernet|bssid|bluetooth'),
  thing: [
    ...words(
      'orders?!|invoice!|tracking!|tickets?!|case!|serial!|part!|sku!|isbn!|issn!|doi!|imei!|items?!|model!|version!',
    ),
    ...words(
      'build!|release!|commit!|hash!|uuid!|guid!|ref!|reference!|batch!|lot!|lottery!|catalog!|catalogue!|article!',
    ),
    ...words(
      'product!|job!|pid!|port!|lines?!|pages?!|chapter!|section!|rfc!|patents?!|error!|code!|id!|asin!|upc!|ean!',
    ),
    ...words(
      'gtin!|vin!|po!|rma!|bug!|issue!|pr!|timestamp!|epoch!|unix!|nonce!|seed!|block!|score!|zone!|docket!|rooms?!',
    ),
    ...words('years?!|meter!|flight!|booking!|duns!|lccn!|oclc!|pmid!|size!|width!|height!|rgb!|iccid!|mrn!|cas!'),
  ],
};
