let second = 0;
let text = '';

/** The time as an IMF-fixdate (RFC 9110 section 5.6.7), made once a second. */
export function httpDate(): string {
  const time = Math.floor(Date.now() / 1000);
  if (time !== second) {
    second = time;
    text = new Date(time * 1000).toUTCString();
  }
  return text;
}
