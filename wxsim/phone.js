// Shows new orders by themselves, unless the person is typing a code.
setInterval(() => {
  const box = document.getElementById("scan-code");
  const typing = box && (document.activeElement === box || box.value !== "");
  if (!typing && !document.hidden) location.reload();
}, 3000);
