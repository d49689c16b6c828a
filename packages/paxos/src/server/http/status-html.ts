/** The status page, empty: its script fills it. The roles keep the tables tables where the style sheet makes cards of them. */
export const STATUS_HTML = /* HTML */ `<!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>Status</title>
      <link rel="icon" href="status/icon.svg" />
      <link rel="stylesheet" href="status/style.css" />
      <script type="module" src="status/main.js"></script>
    </head>
    <body>
      <header>
        <h1 id="service">Status</h1>
        <div id="health" role="status"><strong id="word">Asking …</strong> <span id="sentence"></span></div>
        <noscript
          ><p>This page needs JavaScript. The same can be read at <a href="status.json">status.json</a>.</p></noscript
        >
        <dl>
          <div>
            <dt>Leader</dt>
            <dd id="leader">–</dd>
          </div>
          <div>
            <dt>Commands/s</dt>
            <dd id="rate">–</dd>
          </div>
          <div>
            <dt>Slots executed</dt>
            <dd id="applied">–</dd>
          </div>
          <div>
            <dt>Cluster</dt>
            <dd id="cluster">–</dd>
          </div>
          <div>
            <dt>Seen from</dt>
            <dd id="seen">–</dd>
          </div>
        </dl>
      </header>
      <main>
        <section aria-labelledby="servers-title">
          <h2 id="servers-title">Servers</h2>
          <table id="servers-table" role="table" aria-labelledby="servers-title">
            <thead role="rowgroup">
              <tr role="row">
                <th scope="col" role="columnheader">Server</th>
                <th scope="col" role="columnheader">Role</th>
                <th scope="col" role="columnheader">Slots</th>
                <th scope="col" role="columnheader">Commands/s</th>
                <th scope="col" role="columnheader">Latency</th>
                <th scope="col" role="columnheader">Log</th>
                <th scope="col" role="columnheader">Snapshot</th>
                <th scope="col" role="columnheader">Clients</th>
                <th scope="col" role="columnheader">Up</th>
              </tr>
            </thead>
            <tbody id="servers" role="rowgroup"></tbody>
          </table>
          <p class="note">
            The lines show the last two minutes, on one scale for all servers. Latency is from a command’s arrival at a
            server to its outcome: the median, and p99 (99 of 100 take no longer), over the last 10 to 20 seconds.
          </p>
        </section>
        <section aria-labelledby="elections-title">
          <h2 id="elections-title">Elections</h2>
          <table id="elections-table" aria-labelledby="elections-title" hidden>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">Ballot</th>
                <th scope="col">Seen by servers</th>
              </tr>
            </thead>
            <tbody id="elections"></tbody>
          </table>
          <p id="no-elections" class="note">None yet.</p>
        </section>
      </main>
      <footer><a href="status.json">status.json</a> · <a href="healthz">healthz</a></footer>
    </body>
  </html> `
