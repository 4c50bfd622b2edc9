import { describe, expect, test } from '@jest/globals';
import { findPii, maskPii } from '../../../../src/signals/pii.ts';

/** What is found, as "KIND text". */
function found(text: string): string[] {
  return findPii(text).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
}

describe('what is found', () => {
  test.each([
    ['+1-555-123-4567', 'PHONE_NUMBER +1-555-123-4567'],
    ['Call John at (212)555-1234 today', 'PHONE_NUMBER (212)555-1234'],
    ['0033 6 12 34 56 78', 'PHONE_NUMBER 0033 6 12 34 56 78'],
    ['+44 (0)20 7946 0958', 'PHONE_NUMBER +44 (0)20 7946 0958'],
    ['手机号 13812345678', 'PHONE_NUMBER 13812345678'],
    ['5500 0000 0000 0004', 'CREDIT_CARD 5500 0000 0000 0004'],
    ['30569309025904 diners card', 'CREDIT_CARD 30569309025904'],
    ['NL91-ABNA-0417-1643-00', 'IBAN_CODE NL91-ABNA-0417-1643-00'],
    ['iban GB82WEST12345698765432.', 'IBAN_CODE GB82WEST12345698765432'],
    ['social security: 123 45 6789', 'US_SSN 123 45 6789'],
    ['1.2.3.4 is my ip', 'IP_ADDRESS 1.2.3.4'],
    ['user logged in from 203.0.113.5:443', 'IP_ADDRESS 203.0.113.5'],
    ['001A.2B3C.4D5E', 'MAC_ADDRESS 001A.2B3C.4D5E'],
    ['Boston MA 02108', 'ZIP_CODE 02108'],
    ['postcode: ec1a 1bb', 'ZIP_CODE ec1a 1bb'],
    ['D-80331 München', 'ZIP_CODE 80331'],
    ['I live in 94105', 'ZIP_CODE 94105'],
    ['dob: 12 Mar 88', 'DATE_OF_BIRTH 12 Mar 88'],
    ['date of birth 19900115', 'DATE_OF_BIRTH 19900115'],
    ['born in Boston on July 4, 1976', 'DATE_OF_BIRTH July 4, 1976'],
    ['D.O.B.: 04-12-85', 'DATE_OF_BIRTH 04-12-85'],
    ['My driver’s license is A123-4567-8901', 'US_DRIVER_LICENSE A123-4567-8901'],
    ['license number: D1234567 (CA DMV)', 'US_DRIVER_LICENSE D1234567'],
    ['travelling on passport YA1234567', 'US_PASSPORT YA1234567'],
    ['passport no. X12345678', 'US_PASSPORT X12345678'],
    ['postgres://admin:s3cr3tP4ss@db.example.com:5432/app', 'API_KEY s3cr3tP4ss'],
    ['X-API-Key: 8d7f6a5b-4c3d-2e1f-0a9b-8c7d6e5f4a3b', 'API_KEY 8d7f6a5b-4c3d-2e1f-0a9b-8c7d6e5f4a3b'],
    ['the password is correct-horse-9-Battery', 'API_KEY correct-horse-9-Battery'],
    ['<ann@example.org>', 'EMAIL_ADDRESS ann@example.org'],
    ["'ann@example.org'", 'EMAIL_ADDRESS ann@example.org'],
    ['ann@example.org:Summer-2024', 'EMAIL_ADDRESS ann@example.org'],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual([expected]);
  });

  test.each([
    ['two of a kind and others, in order', 'a@example.org b@example.org DOB 1990-01-02, ZIP 94110'],
    ['a list of numbers', 'Call 415-555-2671, 212-555-0100 or 718-555-0111 718-555-0112.'],
    ['rows of a table', 'name,phone\nLee,415-555-2671\nBo,212-555-0100\nCy,718-555-0111\nDi,718-555-0112'],
    ['a label speaks for the first date only', 'DOB 1990-01-02, hired 2015-03-03, a@example.org, b@example.org'],
  ])('%s', (_, text) => {
    expect(found(text).length).toBe(text.startsWith('DOB') ? 3 : 4);
  });
});

describe('what is not', () => {
  test.each([
    'The mobile app had 1234567 downloads',
    'mobile users grew to 12 345 678 in 2023',
    'We reach 10000000 users',
    'call function foo(1234567)',
    'x = 415-555-2671, 2 * 415-555-2671',
    'phone 12 34 56 78 90 12 34 56 78 90',
    'E10 5GB',
    'M25 3AB-series',
    'OK 12345 done, TX 12345 too',
    'Abraham Lincoln was born on February 12, 1809',
    'born from 12/12/2012 memes',
    'the passport. Order A12345678 came later',
    'passport renewal fee is $130.00',
    'license plate ABC1234, software license number 12345678',
    'primary key 1234567890123456',
    'secretName: my-app-secret-v2',
    'password: string, "password": {"type": "string"}',
    'token: user-session-identifier-2',
    'ZIP 7z 2024, zip 7 files',
    'package==2.31.0.6',
    '2001:db8::/32',
  ])('%s', (text) => {
    expect(found(text)).toEqual([]);
  });
});

describe('how sure', () => {
  test.each([
    ['what has a checksum or a vendor’s shape', '4111 1111 1111 1111', 1],
    ['a shape with its label', 'SSN 536-22-1234', 1],
    ['a shape alone', 'it says 536-22-1234', 0.8],
    ['a label and a number that no plan knows', 'phone 555-0134', 0.7],
  ])('%s', (_, text, confidence) => {
    expect(findPii(text).map((finding) => finding.confidence)).toEqual([confidence]);
  });
});

describe('the mask', () => {
  test('puts the kind in place of the text and leaves the rest', () => {
    const text = 'Mail ann@example.org 🙂 or call (415) 555-2671.';
    expect(maskPii(text, findPii(text))).toBe('Mail <EMAIL_ADDRESS> 🙂 or call <PHONE_NUMBER>.');
  });

  test('nothing found: the text itself', () => {
    expect(maskPii('hello', [])).toBe('hello');
  });
});
