// The token lives in the URL's fragment (#token=...), which browsers never send.

export function tokenFromURL() {
  return new URLSearchParams(location.hash.slice(1)).get("token")?.trim() ?? "";
}

// setToken puts a token that the user typed into the URL, so that a reload keeps it.
export function setToken(token) {
  history.replaceState(null, "", "#" + new URLSearchParams({ token }));
}

// expiryOf reads when a token expires; null if it does not say or is no JWT. It is only
// for the words on the page: the gateway is who decides.
export function expiryOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload));
    return typeof exp === "number" ? new Date(exp * 1000) : null;
  } catch {
    return null;
  }
}
