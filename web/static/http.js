// What WHIP and WHEP have in common: post an SDP offer, get an answer and a session.

// Refused is an answer other than 201, with the gateway's own words.
export class Refused extends Error {
  constructor(status, detail, code, retryAfter) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter; // seconds, 0 if not said
  }

  // final: the same request would be refused again.
  get final() {
    return this.status >= 400 && this.status < 500 && ![404, 408, 409, 429].includes(this.status);
  }
}

// offer posts the connection's local description and applies the answer. It gives the URL of
// the session. No candidates are gathered first: the gateway has the public address, and the
// browser's own checks are enough for it.
export async function offer(url, token, connection, signal) {
  await connection.setLocalDescription();
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: connection.localDescription.sdp,
    signal,
  });
  const body = await response.text();
  if (response.status !== 201) throw refusal(response, body);
  const session = new URL(response.headers.get("Location"), response.url).href;
  await connection.setRemoteDescription({ type: "answer", sdp: body });
  return session;
}

// end deletes a session; keepalive lets it survive the page's own end.
export function end(session, token) {
  return fetch(session, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${token}` },
    keepalive: true,
  }).catch(() => {}); // the gateway notices by itself when nobody is there
}

function refusal(response, body) {
  let problem = {};
  try {
    problem = JSON.parse(body);
  } catch {
    // not the gateway's own answer, perhaps a proxy's
  }
  const detail = problem.detail || problem.title || `The gateway answered ${response.status} ${response.statusText}.`;
  return new Refused(response.status, detail, problem.code ?? "", Number(response.headers.get("Retry-After")) || 0);
}
