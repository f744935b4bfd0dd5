/**
 * For `deno run --preload`: the first accept() of a listener fails, as it does
 * when too many files are open, or on some systems when a client has left.
 */
const { listen } = Deno;

function failingListen(options: Deno.TcpListenOptions): Deno.TcpListener {
  const listener = listen(options);
  const accept = listener.accept.bind(listener);
  let failed = false;
  listener.accept = () => {
    if (failed) return accept();
    failed = true;
    return Promise.reject(new Error("Too many open files (os error 24)"));
  };
  return listener;
}

Object.assign(Deno, { listen: failingListen });
