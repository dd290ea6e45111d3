/* Runs one signature of a SavedModel by TensorFlow's C API alone, as any server without Python does.
 *
 *   serve DIRECTORY INPUT TYPE BYTES SHAPE OUTPUT:INDEX...
 *
 * INPUT and OUTPUT are operations of the graph, BYTES a file with the input's values, TYPE and each
 * number of SHAPE (with commas) what they are; each string has its length before it, in eight bytes.
 * INPUT may be "-": then nothing is given. Each output is written as its type, its number of bytes, and
 * these bytes in hexadecimal, one line an output; of strings, commas stand between them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

#define MOST 16

static void check(const TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s\n", TF_Message(status));
  exit(1);
}

static TF_Output find(TF_Graph* graph, const char* name, int index) {
  TF_Output found = {TF_GraphOperationByName(graph, name), index};
  if (found.oper != NULL) return found;
  fprintf(stderr, "no operation %s\n", name);
  exit(1);
}

static TF_Tensor* read_strings(FILE* file, const int64_t* sides, int rank) {
  int64_t length, count = 1;
  for (int i = 0; i < rank; i++) count *= sides[i];
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, sides, rank, count * sizeof(TF_TString));
  TF_TString* strings = TF_TensorData(tensor);
  for (int64_t i = 0; i < count; i++) {
    if (fread(&length, sizeof length, 1, file) != 1) exit(1);
    char* bytes = malloc(length);
    if (fread(bytes, 1, length, file) != (size_t)length) exit(1);
    TF_StringInit(&strings[i]);
    TF_StringCopy(&strings[i], bytes, length);
    free(bytes);
  }
  return tensor;
}

static TF_Tensor* read_numbers(FILE* file, int type, const int64_t* sides, int rank) {
  fseek(file, 0, SEEK_END);
  size_t size = ftell(file);
  rewind(file);
  TF_Tensor* tensor = TF_AllocateTensor(type, sides, rank, size);
  if (fread(TF_TensorData(tensor), 1, size, file) != size) exit(1);
  return tensor;
}

static TF_Tensor* read_tensor(int type, const char* path, char* shape) {
  int64_t sides[MOST];
  int rank = 0;
  for (char* side = strtok(shape, ","); side && rank < MOST; side = strtok(NULL, ","))
    sides[rank++] = atoll(side);
  FILE* file = fopen(path, "rb");
  if (file == NULL) exit(1);
  TF_Tensor* tensor = type == TF_STRING ? read_strings(file, sides, rank)
                                        : read_numbers(file, type, sides, rank);
  fclose(file);
  return tensor;
}

static void write_bytes(const char* bytes, size_t size) {
  for (size_t i = 0; i < size; i++) printf("%02x", (unsigned char)bytes[i]);
}

static void write_tensor(const TF_Tensor* tensor) {
  size_t size = TF_TensorByteSize(tensor);
  printf("%d %zu ", TF_TensorType(tensor), size);
  if (TF_TensorType(tensor) == TF_STRING) {
    const TF_TString* strings = TF_TensorData(tensor);
    for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++) {
      if (i) printf(",");
      write_bytes(TF_StringGetDataPointer(&strings[i]), TF_StringGetSize(&strings[i]));
    }
  } else {
    write_bytes(TF_TensorData(tensor), size);
  }
  printf("\n");
}

int main(int count, char** arguments) {
  if (count < 7 || count > 6 + MOST) return 2;
  const char* tags[] = {"serve"};
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph,
                                                     NULL, status);
  check(status);
  int inputs = strcmp(arguments[2], "-") != 0;
  TF_Output input = {NULL, 0};
  TF_Tensor* given = NULL;
  if (inputs) {
    input = find(graph, arguments[2], 0);
    given = read_tensor(atoi(arguments[3]), arguments[4], arguments[5]);
  }
  int outputs = count - 6;
  TF_Output wanted[MOST];
  TF_Tensor* answers[MOST];
  for (int i = 0; i < outputs; i++) {
    char* colon = strchr(arguments[6 + i], ':');
    *colon = '\0';
    wanted[i] = find(graph, arguments[6 + i], atoi(colon + 1));
  }
  TF_SessionRun(session, NULL, &input, &given, inputs, wanted, answers, outputs, NULL, 0, NULL,
                status);
  check(status);
  for (int i = 0; i < outputs; i++) write_tensor(answers[i]);
  TF_CloseSession(session, status);
  check(status);
  return 0;
}
