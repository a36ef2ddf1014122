/** The style sheet of the page: everything that it needs is in it. */
export const style = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#5b6470;--line:#e3e6ea;--shade:#f5f6f8;--blue:#1f6fb4;--orange:#d1660a;--green:#15805e;--purple:#7d4bb5;--red:#c2362f;--brown:#7a5c3e;--win:#4a90cf;--lose:#e59445}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e6e8eb;--soft:#a2abb6;--line:#2c3239;--shade:#1e2329;--blue:#62a9e6;--orange:#f0954a;--green:#4cbf98;--purple:#b08be0;--red:#ef7a72;--brown:#c3a27e;--win:#2f6ea8;--lose:#a9621d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:1160px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:30px;line-height:1.2;margin:0 0 4px}
h2{font-size:22px;margin:0 0 4px}
h3{font-size:15px;margin:0 0 4px}
section{margin-top:52px;border-top:1px solid var(--line);padding-top:24px}
p{margin:0 0 12px;max-width:78ch}
.lead{font-size:17px}
.note,.sub{color:var(--soft);font-size:14px}
.findings{background:var(--shade);border-radius:8px;padding:16px 20px 16px 36px;margin:20px 0 0}
.findings li{margin:4px 0;max-width:100ch}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--width)),1fr));gap:20px 24px;margin:8px 0 12px}
.chart svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0;padding:0;font-size:14px;color:var(--ink)}
.legend svg{vertical-align:-2px}
.scroll{overflow-x:auto;margin:12px 0}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:8px 0 4px}
th,td{padding:6px 14px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom}
tbody th{font-weight:600;white-space:nowrap}
td small{color:var(--soft);white-space:nowrap;font-size:12px}
.matrix th,.matrix td{padding:6px 8px;border:2px solid var(--paper);text-align:center;vertical-align:middle}
.matrix thead th{vertical-align:bottom}
.matrix tbody th{text-align:right}
.matrix td b{display:block}
.matrix td small{color:inherit;opacity:.75;font-size:11px}
.matrix .self{background:var(--shade)}
details{margin:8px 0}
summary{cursor:pointer;color:var(--soft);font-size:14px}
article{border:1px solid var(--line);border-radius:8px;padding:14px 18px;margin:14px 0}
.prompt{white-space:pre-wrap;font-weight:600;overflow-wrap:anywhere;max-width:none}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 18px;margin:0;font-size:15px}
dt{color:var(--soft)}
dt b{color:var(--ink);font-variant-numeric:tabular-nums}
dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
ul{padding-left:20px}
@media (max-width:640px){main{padding:20px 14px 48px}h1{font-size:24px}section{margin-top:36px}.wide{display:none}.narrow{display:block}.narrow svg{width:100%}dl{grid-template-columns:1fr;gap:2px}dd{margin-bottom:8px}}
@media print{details{display:block}section{break-inside:avoid}}
`
