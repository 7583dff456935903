import tls from 'node:tls';

// Leads what Node sends to AWS by its name to the emulator, as `.curlrc` does for curl: loaded before a documented command.
const { port } = new URL(process.env.AWS_ENDPOINT_URL ?? '');
const { connect } = tls;
tls.connect = (options, ...rest) =>
  String(options.host).endsWith('.amazonaws.com')
    ? connect({ ...options, host: '127.0.0.1', port, servername: options.servername ?? options.host }, ...rest)
    : connect(options, ...rest);
