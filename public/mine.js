// Shows the request that this page came with. A page does not see everything
// that its browser sent, so it shows the lines that it can know.
const timing = performance.getEntriesByType("navigation")[0];
const protocol = timing?.nextHopProtocol?.toUpperCase() || "HTTP/1.1";
document.querySelector("#request code").textContent = [
  `GET ${location.pathname}${location.search} ${protocol}`,
  `Host: ${location.host}`,
  `User-Agent: ${navigator.userAgent}`,
  `Accept-Language: ${navigator.languages.join(", ")}`,
  "",
].join("\n");

// The answer's first lines are hidden from a page, but it may ask for them
// again, without the file: that is what HEAD is for.
const answer = await fetch(location.href, { method: "HEAD" });
const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`);
document.querySelector("#response code").textContent = [
  `${protocol} ${answer.status} ${answer.statusText}`,
  ...lines,
  "",
].join("\n");
document.querySelector("#live").hidden = false;
